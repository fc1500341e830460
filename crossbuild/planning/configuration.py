"""The layer that makes an installed root this image: files, mounts, services, commands, the initramfs."""

from __future__ import annotations

from crossbuild.distros.release import Initramfs, Release
from crossbuild.model.architecture import Architecture
from crossbuild.model.plan import CommandStep, Layer, LinkStep, Place, RemoveStep, Resolution, Step, WriteStep
from crossbuild.model.spec import ImageSpec, MountSpec

FSTAB_HEAD = "# <source> <target> <type> <options> <dump> <pass>\n"
PRESET = "/etc/systemd/system-preset/00-crossbuild.preset"
UNIT_SUFFIXES = (
    ".automount", ".device", ".mount", ".path", ".scope", ".service", ".slice", ".socket", ".swap",
    ".target", ".timer",
)  # fmt: skip
"""Of the kinds of units that there are (systemd.unit(5))."""
HOST_KEYS_UNIT = "crossbuild-ssh-host-keys.service"
HOST_KEYS = """\
[Unit]
Description=Make this node's own SSH host keys
ConditionPathExists=!/etc/ssh/ssh_host_ed25519_key
Before=ssh.service sshd.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/bin/ssh-keygen -A

[Install]
WantedBy=multi-user.target
"""
# The kernel's version is that of the root: `uname -r` would name this host's.
# The live modules boot what IMS serves (root=live:URL); dracut takes them only when asked.
# ldd(1) starts the loader twice for each program. Once tells as much, and starts are what emulation costs.
INITRAMFS = """\
export DRACUT_LDD=/run/crossbuild-ldd
cat > "$DRACUT_LDD" <<'END'
#!/bin/sh
@LOADER@ --list "$@" 2>/dev/null || echo "not a dynamic executable"
END
chmod +x "$DRACUT_LDD"
live="dmsquash-live livenet"
# dracut 059 prefers systemd-networkd and lets nobody know when that has brought up the network: a node would
# wait for its root for ever. Later ones bring networkd-run.sh; with NetworkManager they never had that gap.
any_of() {
  for path in "$@"; do if [ -e "$path" ]; then return 0; fi; done
  return 1
}
parts=/usr/lib/dracut/modules.d
if any_of "$parts"/*systemd-networkd && ! any_of "$parts"/*systemd-networkd/networkd-run.sh &&
  ! any_of /usr/lib*/nm-initrd-generator /usr/lib*/NetworkManager/nm-initrd-generator &&
  command -v dhclient >/dev/null; then
  live="$live network-legacy"
fi
# dracut's own level, 9, takes four times as long for half a percent.
packer="gzip -n -6"
for modules in /lib/modules/*/modules.dep; do
  version=${modules%/modules.dep}
  version=${version##*/}
  dracut --force --no-hostonly --reproducible --compress "$packer" --add "$live" --kver "$version" \\
    "/boot/@NAME@"
  # Under these names IMS looks for them when it customizes an image.
  kernel=/boot/vmlinuz-$version
  if [ -e "$kernel" ]; then ln -sf "${kernel##*/}" /boot/Image; fi
  ln -sf "@NAME@" /boot/initrd
done
"""


def configuration_layer(spec: ImageSpec, release: Release, below: Layer, resolution: Resolution) -> Layer:
    """Return the layer on top of *below* that holds everything but packages."""
    steps: list[Step] = []
    if resolution.has("openssh-server"):
        steps += _host_keys()
    if spec.mounts:
        steps.append(_fstab(spec.mounts))
    steps += [
        WriteStep(
            path=file.target,
            content=file.content,
            mode=file.mode,
            owner=file.owner,
            group=file.group,
            reason="the spec's files",
        )
        for file in spec.files
    ]
    steps += _services(spec)
    steps += [
        CommandStep(place=Place.INSIDE, argv=("/bin/sh", "-e", "-c", line), reason="the spec's commands")
        for line in spec.commands
    ]
    if spec.kernel:
        steps += _initramfs(release.initramfs, spec.arch, systemd=resolution.has("systemd"))
    return Layer(
        key="configuration",
        title="Configuration",
        identity=below.digest,
        packages=0,
        kept=False,
        steps=tuple(steps),
    )


def _host_keys() -> tuple[Step, ...]:
    unit = f"/etc/systemd/system/{HOST_KEYS_UNIT}"
    reason = "each node makes its own host keys; an image that carries them gives all nodes the same"
    return (
        WriteStep(path=unit, content=HOST_KEYS.encode(), mode=0o644, reason=reason),
        LinkStep(
            path=f"/etc/systemd/system/multi-user.target.wants/{HOST_KEYS_UNIT}",
            target=f"../{HOST_KEYS_UNIT}",
            reason=reason,
        ),
    )


def _fstab(mounts: tuple[MountSpec, ...]) -> Step:
    lines = (f"{mount.source} {mount.target} {mount.type} {mount.options} 0 0\n" for mount in mounts)
    content = (FSTAB_HEAD + "".join(lines)).encode()
    return WriteStep(path="/etc/fstab", content=content, mode=0o644, reason="the spec's mounts")


def _services(spec: ImageSpec) -> tuple[Step, ...]:
    services = spec.services
    if not services.enable and not services.disable:
        return ()
    # Presets are applied again on a first boot, and they win over what was enabled in the image.
    preset = "".join(
        [
            *(f"enable {_whole_name(unit)}\n" for unit in services.enable),
            *(f"disable {_whole_name(unit)}\n" for unit in services.disable),
        ]
    )
    steps: list[Step] = [
        WriteStep(path=PRESET, content=preset.encode(), mode=0o644, reason="services stay so at first boot")
    ]
    for verb, units in (("enable", services.enable), ("disable", services.disable)):
        if units:
            argv = ("systemctl", verb, *units)
            steps.append(CommandStep(place=Place.INSIDE, argv=argv, reason="the spec's services"))
    return tuple(steps)


def _whole_name(unit: str) -> str:
    """Return what systemctl takes *unit* for; a preset without the suffix matches no unit at all."""
    return unit if unit.endswith(UNIT_SUFFIXES) else f"{unit}.service"


def _initramfs(initramfs: Initramfs, arch: Architecture, *, systemd: bool) -> tuple[Step, ...]:
    own_id = "each node has its own"
    steps: tuple[Step, ...] = (
        # Packages made one, and dracut would take it along.
        RemoveStep(path="/etc/machine-id", reason=own_id),
        CommandStep(
            place=Place.INSIDE,
            argv=(
                "/bin/sh",
                "-e",
                "-c",
                INITRAMFS.replace("@NAME@", initramfs.name.format(version="$version")).replace(
                    "@LOADER@", arch.interpreter
                ),
            ),
            # Ordinary users cannot make device nodes; the initramfs mounts a devtmpfs first of all.
            env=(("DRACUT_NO_MKNOD", "1"),),
            reason="for IMS and Warewulf 4: by the root's own tool, once, when all is in place",
        ),
    )
    if systemd:
        # Empty, not missing: a missing file makes systemd apply its presets anew (machine-id(5)).
        steps += (WriteStep(path="/etc/machine-id", content=b"", mode=0o444, reason=own_id),)
    return steps
