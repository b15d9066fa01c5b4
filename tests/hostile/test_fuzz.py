"""Half a minute's worth of `benchmarks.fuzz`; the long run has its command there."""

from benchmarks import fuzz as module
from benchmarks.fuzz import fuzz, make_input, samples

SEED = 20261124


def test_only_our_own_errors_come_out():
    verdicts = list(fuzz(range(700), SEED))
    wrong = [v for v in verdicts if v.outcome not in ("read", "refused")]
    assert not wrong, "\n".join(f"{v.number}: {v.outcome}: {v.told}" for v in wrong)
    assert len(verdicts) == 700
    refused = sum(v.outcome == "refused" for v in verdicts)
    assert 200 < refused < 600, "damage that nobody notices, or that leaves nothing to read"


def test_inputs_are_repeated_exactly(tmp_path):
    made = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "of").mkdir()
        path, said = make_input(16, SEED, samples(tmp_path / name), tmp_path / name / "of")
        made.append((said, path.read_bytes() if path.is_file() else said))
    assert made[0] == made[1]


def test_a_reader_without_checks_is_found_out(tmp_path):
    """The harness itself can fail: a foreign exception is a finding."""

    def careless(_):
        raise IndexError("oops")

    good = module.Sample(module.SAMPLES / "scan.npz", "", careless)
    verdict = module.attempt(0, SEED, [good], tmp_path)
    assert verdict.outcome == "not ours"
    assert "oops" in verdict.told
