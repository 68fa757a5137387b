"""Augmentations stay within their limits, and change nothing where these are 0."""

import pytest
import torch

from training import augment


def examples(n=64):
    x = torch.zeros(n, 1, 28, 28)
    x[:, :, 10:18, 12:16] = 1.0
    return x


def centres(x):
    line = torch.arange(28.0)
    mass = x.sum((1, 2, 3))
    return (x.sum((1, 3)) @ line) / mass, (x.sum((1, 2)) @ line) / mass


def test_limits_of_zero_change_nothing():
    x = examples()
    assert torch.allclose(augment.deform(x, 0, 0, 0, 0), x, atol=1e-5)


def test_shifts_stay_within_their_pixels():
    torch.manual_seed(0)
    rows, columns = centres(augment.deform(examples(500), 0, 2, 0, 0))
    for moved, start in ((rows, 13.5), (columns, 13.5)):
        away = (moved - start).abs()
        assert 1.8 < away.max() <= 2.001


def test_rotation_turns_by_the_angle():
    torch.manual_seed(0)
    moved = augment.deform(examples(500), 30, 0, 0, 0)
    y, x = torch.meshgrid(torch.arange(28.0) - 13.5, torch.arange(28.0) - 13.5, indexing="ij")
    covariance = (moved[:, 0] * x * y).sum((1, 2))
    spread = (moved[:, 0] * (y * y - x * x)).sum((1, 2))
    angle = torch.rad2deg(0.5 * torch.atan2(2 * covariance, spread))
    assert 28 < angle.abs().max() < 31
    assert torch.allclose(moved.sum((1, 2, 3)), examples(500).sum((1, 2, 3)), rtol=0.05)


def test_scaling_changes_the_area():
    torch.manual_seed(0)
    area = augment.deform(examples(500), 0, 0, 0.1, 0).sum((1, 2, 3)) / 32
    assert 1 / 1.1**2 - 0.02 < area.min() < 0.88 and 1.13 < area.max() < 1 / 0.9**2 + 0.02


def test_elastic_deformation_has_about_its_standard_deviation():
    torch.manual_seed(0)
    line = torch.zeros(2000, 1, 28, 28)
    line[:, :, :, 14] = 1.0  # a vertical line shows horizontal displacements alone
    moved = augment.deform(line, 0, 0, 0, 0, elastic=1.0)[:, 0]
    columns = (moved @ torch.arange(28.0)) / moved.sum(2).clamp_min(1e-6)  # N x 28, one place a row
    assert 0.8 < columns[:, 14].std() < 1.2
    assert (columns[:, 10] - columns[:, 18]).std() > 0.5, "all of it moved together"


def test_half_are_mirrored_and_none_otherwise_changed():
    torch.manual_seed(0)
    x = torch.rand(1000, 1, 28, 28)
    y = augment.flip(x)
    same = (y == x).all((1, 2, 3))
    assert torch.equal(y[~same], x[~same].flip(3)) and 400 < same.sum() < 600


def test_a_square_of_the_side_is_erased_and_nothing_else():
    torch.manual_seed(0)
    erased = augment.erase(torch.ones(1000, 1, 28, 28), 8)[:, 0] == 0
    rows, columns = erased.any(2).sum(1), erased.any(1).sum(1)
    assert torch.equal(erased.sum((1, 2)), rows * columns), "it is not a rectangle"
    assert rows.max() == columns.max() == 8 and rows.min() == columns.min() == 4, "clipped by half at the borders"
    assert erased.any(0).all(), "some place is never erased"


@pytest.mark.parametrize("has_soft_targets", [False, True])
def test_a_rectangle_of_another_image_counts_by_its_area(has_soft_targets):
    torch.manual_seed(0)
    values, labels = torch.arange(10.0), torch.arange(10)
    x, targets = values[:, None, None, None].expand(-1, 1, 28, 28), torch.eye(10) if has_soft_targets else labels
    shares = []
    for _ in range(100):
        mixed, soft = augment.cutmix(x, targets, 1)
        patched = mixed[0, 0] == 9  # all have the same rectangle, the first one's is from the last image
        assert patched.sum() == patched.any(0).sum() * patched.any(1).sum(), "it is not a rectangle"
        assert torch.equal(mixed[1:, 0], torch.where(patched, values[:-1, None, None], values[1:, None, None]))
        shares.append(patched.float().mean().item())
        expected = torch.eye(10) * (1 - shares[-1]) + torch.eye(10).roll(1, 0) * shares[-1]
        torch.testing.assert_close(soft, expected)
    assert min(shares) < 0.05 and max(shares) > 0.6
    again = [augment.cutmix(x, targets, 0.3)[0] is x for _ in range(300)]
    assert 180 < sum(again) < 240, "not the given share of the batches"


def test_the_same_seed_gives_the_same_images():
    def draw():
        torch.manual_seed(7)
        return augment.flip(augment.deform(examples(), 10, 2, 0.1, 5, 0.8))

    assert torch.equal(draw(), draw())
