import Conversions

/// Transaction numbers from one on, as the 32 bits in a row version tell them: modulo 2^32.
struct XIDRange: Hashable, Sendable {
  let from: UInt64
  /// The count of the numbers; 2^32 and more take in every version.
  let span: UInt64

  /// The numbers from `horizon` up to a snapshot's end.
  init(from horizon: UInt64, to end: UInt64) { self.init(from: horizon, span: end >= horizon ? end - horizon : .max) }

  init(from: UInt64, span: UInt64) {
    self.from = from
    self.span = span
  }

  /// True if a version may have one of the numbers. It may have an older one that looks the same; never the reverse.
  func contains(_ version: UInt32) -> Bool { UInt64(version &- UInt32(truncatingIfNeeded: from)) < span }

  /// The condition on `xmin` in SQL; nil where it holds for every version.
  var condition: String? {
    guard span < 1 << 32 else { return nil }
    let low = from % (1 << 32)
    return "((xmin::text::bigint - \(low)) % 4294967296 + 4294967296) % 4294967296 < \(span)"
  }
}

/// Row versions that were visible before the mirror's last complete sweep began.
struct CoveredVersions: Sendable {
  /// Versions that came later; nil where no version is known to be older.
  private let later: XIDRange?

  init(_ screen: OrderScreen, _ moment: SnapshotMoment) {
    later = screen.coveredHorizon.map { XIDRange(from: $0, to: moment.end) }
  }

  /// True if a version, as its `xmin` came from the server, is one of them.
  func contains(_ version: Int64?) -> Bool {
    guard let later, let version else { return false }
    return !later.contains(UInt32(version))
  }
}
