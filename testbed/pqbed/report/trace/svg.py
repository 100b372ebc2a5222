"""SVG elements. Coordinates in pixels, colours as in CSS."""

from html import escape


def line(
    x: float, y: float, x_end: float, y_end: float, colour: str, *, width: float, dashes: str = "", opacity: float = 1
) -> str:
    more = f' stroke-dasharray="{dashes}"' if dashes else ""
    more += f' stroke-opacity="{opacity}"' if opacity < 1 else ""
    return (
        f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{x_end:.1f}" y2="{y_end:.1f}" stroke="{colour}" '
        f'stroke-width="{width}"{more}/>'
    )


def arrow_head(x: float, y: float, x_end: float, y_end: float, colour: str) -> str:
    """Return the head of an arrow: 9 pixels long, along its line."""
    length = ((x_end - x) ** 2 + (y_end - y) ** 2) ** 0.5
    along_x, along_y = (x_end - x) / length, (y_end - y) / length
    back_x, back_y = x_end - 9 * along_x, y_end - 9 * along_y
    points = (
        (x_end, y_end),
        (back_x - 3.4 * along_y, back_y + 3.4 * along_x),
        (back_x + 3.4 * along_y, back_y - 3.4 * along_x),
    )
    return f'<polygon points="{" ".join(f"{px:.1f},{py:.1f}" for px, py in points)}" fill="{colour}"/>'


def text(
    x: float,
    y: float,
    words: str,
    colour: str,
    *,
    anchor: str = "start",
    weight: int = 400,
    size: float = 12.5,
    backed: str = "",
) -> str:
    """Return a line of text; `backed` is the colour of a halo that separates it from what lies below."""
    halo = f' stroke="{backed}" stroke-width="4" stroke-linejoin="round" paint-order="stroke"' if backed else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" text-anchor="{anchor}" font-weight="{weight}" '
        f'font-size="{size}"{halo}>{escape(words)}</text>'
    )
