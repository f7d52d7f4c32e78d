"""What doubled stretches say is what looking at each item says."""

import random

from symbackprop.passes.doubled_stretches import CommonStretches, LargestOfStretches


def test_what_two_places_have_in_common_is_what_items_one_by_one_have() -> None:
    for seed in range(60):
        draw = random.Random(seed)
        sequence = [draw.randrange(1 + seed % 3) for _ in range(draw.randrange(1, 20))]
        found = CommonStretches(sequence)
        for one in range(len(sequence)):
            for other in range(one, len(sequence)):
                behind = sequence[other:]
                alike = [left == right for left, right in zip(sequence[one:], behind, strict=False)]
                for most in {0, len(behind) // 2, len(behind)}:
                    expected = (*alike[:most], False).index(False)
                    assert found.common(one, other, most) == expected


def test_the_largest_number_of_every_stretch_is_found() -> None:
    draw = random.Random(0)
    for size in range(1, 18):
        sequence = [draw.randrange(-5, 9) for _ in range(size)]
        found = LargestOfStretches(sequence)
        for begin in range(size):
            for end in range(begin + 1, size + 1):
                assert found.largest(begin, end) == max(sequence[begin:end])
