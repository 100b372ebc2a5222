"""What beds need before they can start: root file systems, guest kernels, build contexts of images.

A room of its own inside `beds/`: both the docker and the uml bed draw on it, and it knows neither. Everything here is
made once, kept under the user's cache folder by a hash of what it is made from, and appears there whole or not at all.
"""

from pqbed.artefacts.base import base_reference, prepare_base
from pqbed.artefacts.build_steps import OnStep
from pqbed.artefacts.contexts import DockerContext, docker_contexts, guest_contexts, stack_contexts
from pqbed.artefacts.kernel import Kernel
from pqbed.artefacts.prepare import UmlArtefacts, prepare_kernel, prepare_root, prepare_uml
from pqbed.artefacts.source import put_source

__all__ = [
    "DockerContext",
    "Kernel",
    "OnStep",
    "UmlArtefacts",
    "base_reference",
    "docker_contexts",
    "guest_contexts",
    "prepare_base",
    "prepare_kernel",
    "prepare_root",
    "prepare_uml",
    "put_source",
    "stack_contexts",
]
