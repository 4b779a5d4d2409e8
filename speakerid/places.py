"""Where a gallery is: a folder, or an address of PostgreSQL."""

from pathlib import Path

_NETWORK = (
    "nfs",
    "cifs",
    "smb",
    "fuse.sshfs",
    "fuse.gvfsd",
    "9p",
    "afs",
    "ceph",
    "glusterfs",
    "fuse.glusterfs",
)


def is_address(place: str | Path) -> bool:
    """Whether it is an address of PostgreSQL and no folder."""
    return isinstance(place, str) and place.startswith(("postgresql://", "postgres://"))


def place_of(text: str) -> str | Path:
    """What the setting or --voiceprints says: an address as it is, a folder as a path."""
    return text.replace("postgres://", "postgresql://", 1) if is_address(text) else Path(text)


def network_file_system(folder: Path) -> str:
    """The kind of network file system that a folder is on; "" for none, or where the system does not say."""
    try:
        mounts = Path("/proc/self/mounts").read_text(errors="replace").splitlines()
    except OSError:
        return ""
    path, best, kind = str(folder.expanduser().absolute()), "", ""
    for mount in mounts:
        fields = mount.split(" ")
        at = fields[1].replace("\\040", " ") if len(fields) > 2 else ""
        inside = path == at or path.startswith(at.rstrip("/") + "/")
        if at and inside and len(at) >= len(best):
            best, kind = at, fields[2]
    return kind if kind.startswith(_NETWORK) else ""
