/// The time at which an order was placed, as closely as its column tells: a date is a whole day, a value in whole
/// seconds may be any microsecond of its second. Both ends are included.
public struct PlacedAt: Hashable, Sendable {
  /// The first instant at which it may have been.
  public let earliest: Timestamp
  /// The last instant at which it may have been.
  public let latest: Timestamp

  /// Makes a span as the shop's table gave it; ends that are the wrong way round are one instant.
  public init(earliest: Timestamp, latest: Timestamp) {
    self.earliest = earliest
    self.latest = max(earliest, latest)
  }

  /// Makes an instant, widened to the second or millisecond in whole units of which it was written down.
  public init(written instant: Timestamp) {
    let granule: Int64
    switch instant.microseconds {
    case let value where value % 1_000_000 == 0: granule = 1_000_000
    case let value where value % 1000 == 0: granule = 1000
    default: granule = 1
    }
    self.init(earliest: instant, latest: instant + .microseconds(granule - 1))
  }
}
