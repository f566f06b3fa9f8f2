from __future__ import annotations

import pickle

from bcns_pipeline.rules.faults import BadInput


def test_every_fault_stands_on_a_line_of_its_own() -> None:
    bad = BadInput(["A is missing.", "B is wrong."])
    assert bad.faults == ("A is missing.", "B is wrong.")
    assert str(bad) == "A is missing.\nB is wrong."


def test_a_bare_sentence_is_one_fault_and_not_one_per_letter() -> None:
    assert BadInput("A is missing.").faults == ("A is missing.",)


def test_faults_survive_the_way_between_processes() -> None:
    assert pickle.loads(pickle.dumps(BadInput(["A.", "B."]))).faults == ("A.", "B.")
