"""How long links stay: as their records do, and ended ones as long as changes before them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.integration.retention.aged import ROUNDS, age, end_range, term

if TYPE_CHECKING:
    from tests.integration.links.conftest import People


def test_an_ended_link_goes_with_the_changes_before_it(people: People) -> None:
    people.put(1, "a")
    people.put(2, "x")
    people.put(3, "y")
    people.settle()
    people.unseen("UPDATE emea.person SET ext_id = 'b' WHERE id = 1")
    people.world.app.execute("DELETE FROM emea.person WHERE id = 1")
    people.settle()
    end_range(people.world)
    people.unseen("UPDATE emea.person SET ext_id = 'z' WHERE id = 2")
    people.world.app.execute("DELETE FROM emea.person WHERE id = 2")
    people.settle()
    assert [key for _, key in people.links()] == [None, None, '{"ext_id":"y"}']
    age(people.world)
    upkeep = people.world.upkeep()
    for _ in range(ROUNDS):
        people.world.clock.advance(100)
        people.world.settle(people.relay, people.worker)
        upkeep.run(term(people.world), 0)
    assert people.links() == [('{"id":2}', None), ('{"id":3}', '{"ext_id":"y"}')]
