"""Stand-ins for tests of leases: a clock that is told what to say, and small results."""


class Clock:
    """A clock of a machine; its hands are moved by the test.

    Attributes:
        now: seconds.
    """

    def __init__(self, now=0.0):
        self.now = now

    def __call__(self):
        return self.now


def publish(store, name, **record):
    """A small result with a record."""
    folder = store.workspace("driver", name)
    (folder / "one.txt").write_text(name)
    assert store.publish(folder, name, {"id": name[:-13], "name": name, **record})
