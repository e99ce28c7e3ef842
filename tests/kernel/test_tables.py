from __future__ import annotations

import msgspec

from cloudlet.kernel.context import Context
from cloudlet.kernel.tables import Table
from tests.kernel.conftest import Bench


class Song(msgspec.Struct, frozen=True, array_like=True):
    artist: str
    title: str
    year: int
    hidden: bool = False


SONGS = Table(
    "test", "song", row=Song, key=("artist", "title"), indexes={"year": lambda song: None if song.hidden else (song.year,)}
)
FIRST, SECOND, THIRD = Song("b", "one", 1990), Song("a", "two", 1980), Song("b", "three", 2000)


def test_rows_are_found_by_key_prefix_and_index(bench: Bench) -> None:
    def work(ctx: Context) -> None:
        for song in (FIRST, SECOND, THIRD):
            SONGS.insert(ctx.tx, song)
        assert SONGS.get(ctx.tx, "b", "one") == FIRST
        assert SONGS.get(ctx.tx, "b", "two") is None
        assert list(SONGS.scan(ctx.tx)) == [SECOND, FIRST, THIRD]
        assert list(SONGS.scan(ctx.tx, "b", start_after="one")) == [THIRD]
        assert list(SONGS.scan(ctx.tx, "b", begins_with="th")) == [THIRD]
        assert list(SONGS.scan(ctx.tx, reverse=True, limit=1)) == [THIRD]
        assert list(SONGS.by(ctx.tx, "year")) == [SECOND, FIRST, THIRD]
        assert list(SONGS.by(ctx.tx, "year", up_to=1990)) == [SECOND, FIRST]
        assert list(SONGS.by(ctx.tx, "year", 2000)) == [THIRD]

    bench.kernel.transact(work)


def test_an_index_follows_its_rows(bench: Bench) -> None:
    def work(ctx: Context) -> None:
        SONGS.insert(ctx.tx, FIRST)
        SONGS.put(ctx.tx, msgspec.structs.replace(FIRST, year=2020))
        assert [song.year for song in SONGS.by(ctx.tx, "year")] == [2020]
        SONGS.put(ctx.tx, msgspec.structs.replace(FIRST, hidden=True))
        assert list(SONGS.by(ctx.tx, "year")) == []
        SONGS.put(ctx.tx, FIRST)
        SONGS.clear(ctx.tx, "b")
        assert list(SONGS.by(ctx.tx, "year")) == list(SONGS.scan(ctx.tx)) == []

    bench.kernel.transact(work)


def test_a_row_written_before_a_field_was_added_still_reads(bench: Bench) -> None:
    class Older(msgspec.Struct, frozen=True, array_like=True):
        artist: str
        title: str
        year: int

    older = Table("test", "song", row=Older, key=("artist", "title"))

    def work(ctx: Context) -> None:
        older.insert(ctx.tx, Older("a", "b", 1))
        assert SONGS.get(ctx.tx, "a", "b") == Song("a", "b", 1, hidden=False)

    bench.kernel.transact(work)
