import numpy as np
import pytest

from ptychopinn.report import draw_losses, losses

from .conftest import decode


def row(epoch, train=None, val=None, step=None):
    return {
        "epoch": epoch,
        "step": 10 * epoch if step is None else step,
        "seconds": 1.0,
        "train_loss": train,
        "val_loss": val,
        "learning_rate": 1e-3,
    }


@pytest.fixture
def axes(tmp_path, monkeypatch):
    """Draw rows and return the axes."""
    kept = []
    monkeypatch.setattr(losses, "save", lambda figure, path: kept.append(figure) or path)

    def draw(rows):
        draw_losses(rows, tmp_path / "loss.png")
        return kept[-1].axes[0]

    return draw


def curves(axes):
    return {
        line.get_label(): np.transpose([line.get_xdata(), line.get_ydata()]).tolist()
        for line in axes.lines
    }


def test_both_curves_over_epochs(axes):
    drawn = axes([row(0, 3.0, 3.5), row(1, 2.0, None), row(2, 1.5, 2.5)])
    assert drawn.get_xlabel() == "epoch"
    assert curves(drawn) == {
        "training": [[0, 3.0], [1, 2.0], [2, 1.5]],
        "validation": [[0, 3.5], [2, 2.5]],
    }
    assert drawn.get_yscale() == "linear"


def test_steps_when_epochs_do_not_tell_rows_apart(axes):
    drawn = axes([row(0, 3.0, step=50), row(0, 2.0, step=100)])
    assert drawn.get_xlabel() == "step"
    assert curves(drawn) == {"training": [[50, 3.0], [100, 2.0]]}


@pytest.mark.parametrize(
    ("values", "scale"),
    [((100.0, 1.0), "log"), ((4.0, 1.0), "linear"), ((100.0, -1.0), "linear"), ((9, 0), "linear")],
)
def test_logarithmic_axis_when_it_helps(axes, values, scale):
    assert axes([row(e, value) for e, value in enumerate(values)]).get_yscale() == scale


def test_losses_that_are_not_finite_are_left_out(axes):
    drawn = axes([row(0, np.nan, 1.0), row(1, np.inf, 2.0), row(2, 3.0, np.nan)])
    assert curves(drawn) == {"training": [[2, 3.0]], "validation": [[0, 1.0], [1, 2.0]]}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "rows",
    [
        [row(0, 1.0)],
        [row(e, 10.0 ** -(e % 9), 2.0) for e in range(400)],
        [{"train_loss": 2.0}, {"train_loss": 1.0}],
    ],
)
def test_decodes_at_the_expected_size(tmp_path, rows):
    picture = decode(draw_losses(rows, tmp_path / "loss.png"))
    assert picture.shape == (600, 960, 3)
    assert (np.abs(picture.astype(int) - [0x1F, 0x5F, 0xA8]).max(axis=-1) < 3).any()


@pytest.mark.parametrize(
    ("rows", "words"),
    [([], "nothing was trained"), ([row(0), row(1, np.nan)], "no loss was finite")],
)
def test_nothing_to_draw_is_said_in_a_small_picture(tmp_path, monkeypatch, rows, words):
    said = []
    save = losses.save
    monkeypatch.setattr(
        losses, "save", lambda figure, path: said.append(figure) or save(figure, path)
    )
    picture = decode(draw_losses(rows, tmp_path / "loss.png"))
    assert picture.shape == (180, 480, 3)
    assert picture.min() < 100
    assert [text.get_text() for text in said[0].texts] == [words]
