"""The reader of ImageNet's layout: order, labels, views against Pillow, and what it refuses."""

import numpy as np
import pytest
import torch
from PIL import Image

from sgdescape.network_limits.imagenet import reader

from .tiny_imagenet import write


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return write(tmp_path_factory.mktemp("images"))


def rng(seed=0):
    return np.random.default_rng(seed)


def test_files_and_labels_are_in_order(root):
    folder = reader.read_folder(root, "train")
    assert folder.classes == ("n00000000", "n00000001", "n00000002")
    assert folder.labels.tolist() == [0] * 8 + [1] * 8 + [2] * 8
    assert folder.files[9] == b"n00000001/n00000001_1.JPEG"
    assert folder.root / folder.files[9].decode() == root / "train/n00000001/n00000001_1.JPEG"
    assert len(reader.read_folder(root, "val", classes=folder.classes).files) == 6


def test_decoding_is_that_of_pillow_for_colour_grey_and_cmyk(tmp_path):
    pixels = rng().integers(0, 256, (5, 7, 3), dtype=np.uint8)
    for mode, name in (("RGB", "a.png"), ("L", "b.png"), ("CMYK", "c.JPEG")):
        Image.fromarray(pixels).convert(mode).save(tmp_path / name)
        image = reader.load_image(tmp_path / name)
        assert image.shape == (3, 5, 7) and image.dtype == torch.uint8
        expected = np.array(Image.open(tmp_path / name).convert("RGB"))
        assert np.array_equal(image.permute(1, 2, 0), expected)
    assert np.array_equal(reader.load_image(tmp_path / "a.png").permute(1, 2, 0), pixels)


def test_central_view_is_that_of_pillow():
    coarse = rng().integers(0, 256, (9, 11, 3), dtype=np.uint8)
    picture = Image.fromarray(coarse).resize((60, 44), Image.BICUBIC)
    image = torch.from_numpy(np.array(picture)).permute(2, 0, 1)
    view = reader.central_view(image, size=28)
    small = picture.resize((int(60 * 32 / 44), 32), Image.BILINEAR)
    left, top = round((small.width - 28) / 2), 2
    small = small.crop((left, top, left + 28, top + 28))
    expected = reader.normalise(torch.from_numpy(np.array(small)).permute(2, 0, 1))
    # Pillow rounds to whole levels, in both directions: 1 of 255 is 0.0175 deviations.
    assert (view - expected).abs().max() < 1.1 * (1 / 255 / 0.224)


def test_a_grey_image_is_uniform_in_every_view():
    image = torch.full((3, 50, 41), 124, dtype=torch.uint8)
    expected = reader.normalise(image)[:, 0, 0]
    views = [reader.central_view(image, size=24)]
    views += [reader.random_view(image, size=24, generator=rng(s)) for s in range(20)]
    for view in views:
        assert view.shape == (3, 24, 24) and view.dtype == torch.float32
        torch.testing.assert_close(view, expected.view(3, 1, 1).expand_as(view), rtol=0, atol=1e-5)


def test_random_crops_have_the_stated_law():
    crops = np.array([reader._random_crop(300, 300, rng(s)) for s in range(4000)])
    top, left, h, w = crops.T
    assert (top >= 0).all() and (left >= 0).all()
    assert (top + h <= 300).all() and (left + w <= 300).all()
    share, ratio = h * w / 300**2, w / h
    assert share.min() > 0.079 and share.max() <= 1.0
    assert 0.74 < ratio.min() and ratio.max() < 1.35
    # Below 3/4 of the area every crop fits at once: uniform there.
    inside = share[share < 0.7]
    edges = np.quantile(inside, [0.25, 0.5, 0.75])
    width = 0.62 * np.sqrt(0.25 / len(inside))
    assert np.abs(edges - (0.08 + 0.62 * np.array([0.25, 0.5, 0.75]))).max() < 5 * width
    # A symmetric law of the logarithm of the ratio.
    assert abs(np.log(ratio).mean()) < 5 * np.log(ratio).std() / np.sqrt(len(ratio))
    # Position: what is left is shared equally by both sides, on average.
    gap = (left - (300 - w - left))[w < 300]
    assert abs(gap.mean()) < 5 * gap.std() / np.sqrt(len(gap))


def test_a_long_image_is_cropped_at_its_centre():
    crops = {reader._random_crop(10, 4000, rng(s)) for s in range(30)}
    assert (0, 1993, 10, 13) in crops  # 13 = 10 · 4/3: the largest allowed


def test_a_view_depends_on_seed_epoch_and_image_alone(root):
    folder = reader.read_folder(root, "train")
    images = reader.TrainingImages(folder, size=16, seed=5)
    again = reader.TrainingImages(folder, size=16, seed=5)
    other = reader.TrainingImages(folder, size=16, seed=6)
    _ = images[0, 3], images[1, 0]  # what was asked before does not matter
    assert torch.equal(images[2, 9][0], again[2, 9][0])
    assert images[2, 9][1] == 1
    for different in (images[3, 9][0], images[2, 10][0], other[2, 9][0]):
        assert not torch.equal(different, images[2, 9][0])
    assert len(images) == 24 and len(reader.EvaluationImages(folder, size=16)) == 24


def test_half_of_the_views_are_mirrored():
    image = torch.zeros(3, 8, 400, dtype=torch.uint8)
    image[:, :, :] = torch.arange(400).div(2).to(torch.uint8)  # brighter to the right
    rising = 0
    for seed in range(200):
        view = reader.random_view(image, size=8, generator=rng(seed))
        rising += bool(view[0, 0, -1] > view[0, 0, 0])
    assert abs(rising - 100) < 5 * np.sqrt(50)


def test_refuses_what_is_not_the_layout(tmp_path):
    with pytest.raises(FileNotFoundError, match="data must hold a folder 'train'.*no .*train"):
        reader.read_folder(tmp_path, "train")
    (tmp_path / "val").mkdir()
    (tmp_path / "val" / "ILSVRC2012_val_00000001.JPEG").touch()
    with pytest.raises(ValueError, match="val must hold one folder a class, such as n01440764"):
        reader.read_folder(tmp_path, "val")
    root = write(tmp_path / "full")
    (root / "train" / "n00000007").mkdir()
    (root / "train" / "n00000007" / "notes.txt").touch()
    with pytest.raises(ValueError, match="n00000007 must hold at least 1 image: got 0"):
        reader.read_folder(root, "train")
    with pytest.raises(ValueError, match=r"missing \['a'\], unknown \['n00000001', 'n00000002'\]"):
        reader.read_folder(root, "val", classes=("a", "n00000000"))


def test_names_a_broken_image(root, tmp_path):
    whole = (root / "train/n00000000/n00000000_0.JPEG").read_bytes()
    for name, content in (
        ("cut.JPEG", whole[: len(whole) // 2]),
        ("empty.JPEG", b""),
        ("text.JPEG", b"<html>not found</html>"),
        ("header.JPEG", whole[:20]),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ValueError, match=f"image cannot be decoded: .*{name}"):
            reader.load_image(tmp_path / name)


def test_says_what_is_missing_without_pillow(monkeypatch, root):
    monkeypatch.setitem(__import__("sys").modules, "PIL", None)
    with pytest.raises(ImportError, match="needs Pillow: pip install pillow"):
        reader.load_image(root / "train/n00000000/n00000000_0.JPEG")


def test_marks_of_other_systems_are_no_images_and_no_classes(root, tmp_path):
    write(tmp_path)
    for split in ("train", "val"):
        (tmp_path / split / ".ipynb_checkpoints").mkdir()
        (tmp_path / split / ".ipynb_checkpoints" / "a.JPEG").write_bytes(b"")
        (tmp_path / split / "n00000000" / "._n00000000_0.JPEG").write_bytes(b"\0")
        (tmp_path / split / ".DS_Store").write_bytes(b"")
    for split in ("train", "val"):
        clean, found = reader.read_folder(root, split), reader.read_folder(tmp_path, split)
        assert found.files.tolist() == clean.files.tolist() and found.classes == clean.classes
