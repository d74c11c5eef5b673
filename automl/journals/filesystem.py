"""Which file system a path lies on: SQLite's write-ahead log needs shared memory, which networks do not have."""

from __future__ import annotations

from pathlib import Path

NETWORK = frozenset(
    {
        "nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "ceph", "lustre", "glusterfs", "beegfs", "gpfs", "pvfs2",
        "fuse.sshfs", "fuse.glusterfs", "fuse.ceph", "fuse.s3fs", "fuse.gcsfuse", "fuse.juicefs", "fuse.rclone",
    }
)  # fmt: skip
_MOUNTS = Path("/proc/mounts")


def is_network(path: Path) -> bool:
    """Whether path lies on a known network file system; False where the system does not say."""
    return _MOUNTS.exists() and kind_of(path.resolve(), _MOUNTS.read_text(errors="replace")) in NETWORK


def kind_of(path: Path, mounts: str) -> str:
    r"""Return the file system of an absolute path, given the text of /proc/mounts; empty if none holds it.

    >>> kind_of(Path("/data/run"), "dev / ext4 rw 0 0\nhost:/x /data nfs4 rw 0 0\n")
    'nfs4'
    """
    best, kind = -1, ""
    for line in mounts.splitlines():
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        point = Path(fields[1].replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\"))
        if (path == point or point in path.parents) and len(point.parts) >= best:
            best, kind = len(point.parts), fields[2]
    return kind
