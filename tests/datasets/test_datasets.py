"""MNIST: the sample, strict reading of damaged files, downloads from mirrors that fail."""

import gzip
import hashlib
import http.server
import os
import subprocess
import sys
import threading
from contextlib import contextmanager

import numpy as np
import pytest

from tinygrad_cnn.datasets import DatasetError, load_full, load_sample, mnist
from tinygrad_cnn.datasets.idx import IMAGES_MAGIC, LABELS_MAGIC, read_idx

# SHA-256 of the first 5,000 training images and labels and of all test images and labels, as bytes, computed
# from the original files
ORIGINAL = (
    "a853ca5da5c224d531837eaa3fe56ac036778bb2fdfad445143b5b7d4ec1c739",
    "4263f048ea43702387ef1c8494b59e785853c0410e9770600d50f541a6fee264",
    "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161",
    "ddeff807876a9661a1110d45c266c86239a3a1b7d37da0c3716a7a683c852ff5",
)


def idx(magic, *sizes, body=None):
    head = np.array([magic, *sizes], ">u4").tobytes()
    return head + (np.arange(np.prod(sizes)) % 10).astype(np.uint8).tobytes() if body is None else head + body


IMAGES, LABELS = idx(IMAGES_MAGIC, 3, 28, 28), idx(LABELS_MAGIC, 3)


def test_the_sample_is_the_original():
    digits = load_sample()
    assert [a.shape for a in digits] == [(5000, 28, 28), (5000,), (10000, 28, 28), (10000,)]
    assert [a.dtype for a in digits] == [np.uint8, np.int64, np.uint8, np.int64]
    assert tuple(hashlib.sha256(a.astype(np.uint8).tobytes()).hexdigest() for a in digits) == ORIGINAL


def test_the_sample_cannot_be_changed_by_one_user_for_another():
    with pytest.raises(ValueError, match="read-only"):
        load_sample().train_images[0, 0, 0] = 1


def test_a_damaged_sample_is_noticed(tmp_path, monkeypatch):
    broken = tmp_path / "sample.npz"
    broken.write_bytes(mnist.SAMPLE.read_bytes()[:-1] + b"x")
    monkeypatch.setattr(mnist, "SAMPLE", broken)
    with pytest.raises(DatasetError, match="damaged"):
        load_sample.__wrapped__()


@pytest.mark.parametrize("zipped", [True, False])
def test_good_files_are_read(tmp_path, zipped):
    name = "file.gz" if zipped else "file"
    for content, magic in ((IMAGES, IMAGES_MAGIC), (LABELS, LABELS_MAGIC)):
        (tmp_path / name).write_bytes(gzip.compress(content) if zipped else content)
        read = read_idx(tmp_path / name, magic, 3)
        assert read.tobytes() == content[-read.size :]


@pytest.mark.parametrize(
    ("name", "content", "magic", "message"),
    [
        ("a", IMAGES[:-1], IMAGES_MAGIC, r"truncated, 2367 bytes; expected 2368"),
        ("a", IMAGES + b"0", IMAGES_MAGIC, r"too long, more than 2368 bytes"),
        ("a", b"", IMAGES_MAGIC, r"0 bytes are no IDX file"),
        ("a", LABELS, IMAGES_MAGIC, r"magic number 2049; expected 2051 \(are images and labels swapped"),
        ("a", idx(IMAGES_MAGIC, 2, 28, 28), IMAGES_MAGIC, r"says it has 2 items; expected 3"),
        ("a", idx(IMAGES_MAGIC, 3, 14, 56), IMAGES_MAGIC, r"images of 14×56"),
        ("a", idx(LABELS_MAGIC, 3, body=b"\x00\x0b\x01"), LABELS_MAGIC, r"label 11; expected 0 to 9"),
        ("a.gz", LABELS, LABELS_MAGIC, r"not a whole gzip file"),
        ("a.gz", gzip.compress(IMAGES, mtime=0)[:-20], IMAGES_MAGIC, r"not a whole gzip file"),
        ("a.gz", gzip.compress(bytes(10_000_000), mtime=0), IMAGES_MAGIC, r"magic number 0"),
    ],
)
def test_damaged_files_are_refused_in_one_sentence(tmp_path, name, content, magic, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DatasetError, match=message) as caught:
        read_idx(tmp_path / name, magic, 3)
    assert str(tmp_path / name) in str(caught.value)


def test_a_gzip_bomb_is_read_only_as_far_as_needed(tmp_path):
    (tmp_path / "a.gz").write_bytes(gzip.compress(IMAGES + bytes(50_000_000)))
    with pytest.raises(DatasetError, match="too long"):
        read_idx(tmp_path / "a.gz", IMAGES_MAGIC, 3)


def test_a_missing_file_or_folder_is_said(tmp_path):
    with pytest.raises(DatasetError, match="cannot be read"):
        read_idx(tmp_path / "none", IMAGES_MAGIC, 3)
    with pytest.raises(DatasetError, match=r"has none of train-images-idx3-ubyte\.gz"):
        load_full(tmp_path)


@contextmanager
def server(answer):
    """A web server on this machine; `answer` gets the request handler."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            answer(self)

        def log_message(self, *args):
            """Be quiet."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as web:
        thread = threading.Thread(target=web.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{web.server_address[1]}/"
        finally:
            web.shutdown()
            thread.join()


CONTENTS = [idx(IMAGES_MAGIC, 4, 28, 28), idx(LABELS_MAGIC, 4), IMAGES, LABELS]


@pytest.fixture
def small(monkeypatch):
    """MNIST with 4 and 3 images, and what a mirror of it serves."""
    files = [
        file._replace(items=4 if k < 2 else 3, sha256=hashlib.sha256(content).hexdigest())
        for k, (file, content) in enumerate(zip(mnist.FILES, CONTENTS, strict=True))
    ]
    monkeypatch.setattr(mnist, "FILES", tuple(files))
    return {f"/{file.name}.gz": gzip.compress(content, mtime=0) for file, content in zip(files, CONTENTS, strict=True)}


def whole(served):
    """Answers with the files, from where the client has got to."""

    def answer(request):
        content = served[request.path]
        start = int((request.headers.get("Range") or "bytes=0-")[6:-1])
        request.server.ranges = [*getattr(request.server, "ranges", []), start]
        request.send_response(206 if start else 200)
        request.send_header("Content-Length", str(len(content) - start))
        request.end_headers()
        request.wfile.write(content[start:])

    return answer


def broken_off(served):
    """Says the whole length, gives half of it, and hangs up."""

    def answer(request):
        content = served[request.path]
        request.send_response(200)
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        request.wfile.write(content[: len(content) // 2])

    return answer


def missing(request):
    request.send_error(404)


def test_downloads_go_on_at_the_next_mirror_and_are_kept(tmp_path, small, monkeypatch):
    seen, told = [], []

    def resuming(request):
        seen.append(request.headers.get("Range"))
        whole(small)(request)

    with server(missing) as none, server(broken_off(small)) as half, server(resuming) as good:
        monkeypatch.setattr(mnist, "MIRRORS", (none, half, good))
        digits = load_full(cache_dir=tmp_path, progress=lambda *args: told.append(args))
        assert digits.train_images.shape == (4, 28, 28)
        lengths = [len(content) // 2 for content in small.values()]
        assert seen == [f"bytes={n}-" for n in lengths]
        assert told[-1][0] == "t10k-labels-idx1-ubyte"
        assert told[-1][1] == told[-1][2]
    monkeypatch.setattr(mnist, "MIRRORS", ())
    assert np.array_equal(load_full(cache_dir=tmp_path).test_images, digits.test_images)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(name[1:] for name in small)


def test_a_file_with_another_hash_is_not_kept(tmp_path, small, monkeypatch):
    wrong = {name: gzip.compress(b"something else") for name in small}
    with server(whole(wrong)) as bad:
        monkeypatch.setattr(mnist, "MIRRORS", (bad,))
        with pytest.raises(DatasetError, match="another checksum"):
            load_full(cache_dir=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_mirror_with_other_content_does_not_spoil_the_next_one(tmp_path, small, monkeypatch):
    wrong = {name: gzip.compress(b"something else") for name in small}
    with server(whole(wrong)) as bad, server(whole(small)) as good:
        monkeypatch.setattr(mnist, "MIRRORS", (bad, good))
        assert len(load_full(cache_dir=tmp_path).train_labels) == 4


def test_a_damaged_cache_is_got_again(tmp_path, small, monkeypatch):
    (tmp_path / "train-labels-idx1-ubyte.gz").write_bytes(b"rubbish")
    with server(whole(small)) as good:
        monkeypatch.setattr(mnist, "MIRRORS", (good,))
        assert load_full(cache_dir=tmp_path).train_labels.tolist() == [0, 1, 2, 3]


def test_without_a_network_the_message_says_what_to_do(tmp_path, small, monkeypatch):
    monkeypatch.setattr(mnist, "MIRRORS", ("http://127.0.0.1:9/",))
    with pytest.raises(DatasetError, match=r"no mirror gave it .*--data"):
        load_full(cache_dir=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_cache_folder_can_be_chosen(monkeypatch, tmp_path):
    monkeypatch.setenv("TINYGRAD_CNN_CACHE", str(tmp_path))
    assert mnist.cache_folder() == tmp_path
    monkeypatch.delenv("TINYGRAD_CNN_CACHE")
    for platform, part in (("linux", "tinygrad_cnn"), ("darwin", "Caches"), ("win32", "tinygrad_cnn")):
        monkeypatch.setattr(mnist.sys, "platform", platform)
        assert part in str(mnist.cache_folder())


def test_what_a_download_needs_is_not_imported_before_one():
    code = (
        "import sys, tinygrad_cnn.datasets\n"
        "print(sorted({'urllib.request', 'http.client', 'ssl', 'email', 'tarfile', 'gzip'} & set(sys.modules)))"
    )
    numpys = {**os.environ, "TINYGRAD_CNN_KERNELS": "numpy"}  # Numba imports some of them itself
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=numpys)
    assert done.stdout.strip() == "[]"
