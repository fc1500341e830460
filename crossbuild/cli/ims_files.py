"""`crossbuild ims`: files for BOS, CFS, remote build nodes and bulk imports."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from crossbuild.cli.options import Session, pass_session
from crossbuild.model.architecture import Architecture

NODE = "remote-ims-node"
"""What the configuration for remote build nodes is called in the vendor's documentation."""
FOLDER = click.Path(file_okay=False, path_type=Path)
ARCHES = click.Choice([arch.value for arch in Architecture])


@click.command(name="write-boot-files")
@click.argument("receipt", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--node", metavar="XNAME", required=True, help="The node that boots the image.")
@click.option("-o", "--output", type=FOLDER, metavar="DIR", required=True, help="Where the files go.")
@click.option(
    "--configuration", metavar="NAME", default=NODE, show_default=True, help="Of CFS, for the node."
)
@click.option(
    "--template",
    metavar="NAME",
    default="bos_ims_remote_node",
    show_default=True,
    help="What the session template is called.",
)
def write_boot_files(receipt: Path, *, node: str, output: Path, configuration: str, template: str) -> None:
    """Write a session template of BOS for the image of RECEIPT, and the commands that boot it on a node.

    The template says ARM and has the etag of the image in both places. The commands also lock the node in
    HSM and add it to the remote build nodes of IMS.
    """
    from crossbuild.artifacts.receipts import read_receipt
    from crossbuild.registrars.ims.handover import BootWish, boot_files, write_files

    wish = BootWish(node=node, template=template, configuration=configuration)
    files = boot_files(read_receipt(receipt), wish)
    write_files(files, output)
    _show(files, output)


@click.command(name="write-node-files")
@click.option("--node", metavar="XNAME", required=True, help="The node that is to run jobs of IMS.")
@click.option("--image", metavar="ID", required=True, help="The image in IMS that is customised for it.")
@click.option(
    "--clone-url", metavar="URL", required=True, help="Of the repository for CFS; see the product catalog."
)
@click.option("--commit", metavar="HASH", required=True, help="The commit in it.")
@click.option("-o", "--output", type=FOLDER, metavar="DIR", required=True, help="Where the files go.")
@click.option("--playbook", default="ims_computes.yml", show_default=True, help="The playbook in it.")
@click.option("--configuration", metavar="NAME", default=NODE, show_default=True, help="What CFS calls it.")
@click.option(
    "--new-image", metavar="NAME", default="", help="What IMS calls the new image.  [default: by arch]"
)
@click.option("--session", "cfs_session", metavar="NAME", default="", help="Of CFS.  [default: by arch]")
@click.option(
    "--arch", type=ARCHES, default=Architecture.AARCH64.value, show_default=True, help="Of the node."
)
@click.option("--dns-server", metavar="ADDRESS", required=True, help="Of the node: `unbound` in SLS.")
@click.option("--service-pack", type=int, default=5, show_default=True, help="Of SLES 15 on the node.")
@click.option("--size", default="1000G", show_default=True, help="Of the Ceph device for what jobs write.")
@pass_session
def write_node_files(
    session: Session,
    *,
    node: str,
    image: str,
    clone_url: str,
    commit: str,
    output: Path,
    playbook: str,
    configuration: str,
    new_image: str,
    cfs_session: str,
    arch: str,
    dns_server: str,
    service_pack: int,
    size: str,
) -> None:
    """Write what makes a remote build node: a CFS configuration, and scripts for each host.

    Nothing is sent anywhere: read the scripts, then run them where their first lines say.
    """
    from crossbuild.config.site import load_site
    from crossbuild.registrars.ims.handover import NodeWish, node_files, write_files
    from crossbuild.registrars.ims.service import access_of

    wish = NodeWish(
        node=node,
        image=image,
        new_image=new_image or f"ims-remote-image-{arch}",
        configuration=configuration,
        session=cfs_session or f"build-ims-remote-image-{arch.replace('_', '-')}",
        clone_url=clone_url,
        commit=commit,
        playbook=playbook,
        arch=Architecture(arch),
        dns_server=dns_server,
        service_pack=service_pack,
        size=size,
    )
    files = node_files(wish, access_of(load_site(session.config)).gateway)
    write_files(files, output)
    _show(files, output)


@click.command(name="load-artifacts")
@click.argument("directory", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--name", metavar="NAME", default="", help="What IMS calls the image; by default the set's name."
)
@click.option(
    "--base-url",
    metavar="URL",
    default="",
    help="Where the files are served; by default they are named as files.",
)
def load_artifacts(directory: Path, *, name: str, base_url: str) -> None:
    """Print the manifest with which load-artifacts imports the set in DIRECTORY into IMS.

    It states the architecture. Imports through IUF lose that: register those sets here instead.
    """
    from crossbuild.artifacts.store import load_set
    from crossbuild.cli import console
    from crossbuild.registrars.ims.content import files_of
    from crossbuild.registrars.ims.handover import import_manifest
    from crossbuild.registrars.ims.service import refuse_name

    artifacts = load_set(directory)
    refuse_name(name or artifacts.name, "an image")
    text = import_manifest(name or artifacts.name, artifacts.arch, files_of(artifacts), base_url)
    for line in text.splitlines():
        console.line(line)


def _show(files: Mapping[str, str], folder: Path) -> None:
    from crossbuild.cli import console

    for name in files:
        console.line(str(folder / name))
