import Testing

/// The tests of the loops, one after the other: each waits for its own models to be quiet, and many at once would only
/// wait for each other.
@Suite(.serialized) enum Loops {}
