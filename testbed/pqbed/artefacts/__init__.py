"""Build artefacts that beds start from: root file systems, guest kernels, build contexts of images.

Each is built once, cached in the user's cache folder under a hash of its inputs, and appears there atomically.
"""

from pqbed.artefacts.agent_source import put_source
from pqbed.artefacts.base_image import base_reference, prepare_base
from pqbed.artefacts.build_contexts import DockerContext, docker_contexts, guest_contexts, stack_contexts
from pqbed.artefacts.build_steps import OnStep, no_progress
from pqbed.artefacts.guest_kernel import Kernel, built_kernels
from pqbed.artefacts.uml_artefacts import UmlArtefacts, damaged_artefacts, prepare_kernel, prepare_root, prepare_uml

__all__ = [
    "DockerContext",
    "Kernel",
    "OnStep",
    "UmlArtefacts",
    "base_reference",
    "built_kernels",
    "damaged_artefacts",
    "docker_contexts",
    "guest_contexts",
    "no_progress",
    "prepare_base",
    "prepare_kernel",
    "prepare_root",
    "prepare_uml",
    "put_source",
    "stack_contexts",
]
