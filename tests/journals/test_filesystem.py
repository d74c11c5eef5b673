from __future__ import annotations

from pathlib import Path

import pytest

from automl.journals.filesystem import NETWORK, is_network, kind_of

MOUNTS = """\
/dev/sda1 / ext4 rw,relatime 0 0
proc /proc proc rw 0 0
server:/home /home nfs4 rw 0 0
/dev/sdb1 /home/fast xfs rw 0 0
//box/share /mnt/my\\040share cifs rw 0 0
sshfs#me@host: /mnt/far fuse.sshfs rw 0 0
tmpfs /tmp tmpfs rw 0 0
ext /tmp ext4 rw 0 0
broken line
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/data", "ext4"), ("/home/me/runs", "nfs4"), ("/home", "nfs4"), ("/homeless", "ext4"), ("/home/fast/x", "xfs"),
     ("/mnt/my share/x", "cifs"), ("/mnt/far/x", "fuse.sshfs"), ("/tmp/x", "ext4")],
    ids=lambda v: v,
)  # fmt: skip
def test_the_deepest_and_latest_mount_counts(path, kind):
    assert kind_of(Path(path), MOUNTS) == kind


def test_a_path_below_no_mount_has_no_kind():
    assert kind_of(Path("/x"), "") == ""


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "lustre", "fuse.sshfs"])
def test_network_file_systems_are_known(kind):
    assert kind in NETWORK


def test_the_root_of_this_machine_is_no_network():
    assert not is_network(Path("/"))
