/// Trust in the API's search for one kind of key: the reference says neither that it covers e-mails nor how it reads
/// `_` and `%`, so it is believed for as long as it shows what is known to be there.
public struct SearchTrust: Hashable, Sendable {
  /// The time for which a search is not believed that was refused, failed, or left out what holds the key.
  public static let doubtLasts = Duration.seconds(3600)
  /// The time for which one that showed what it should is believed to find nothing where there is nothing.
  public static let proofLasts = Duration.seconds(3600)
  /// The time between two tries to prove it.
  public static let proofInterval = Duration.seconds(600)

  private var doubtedUntil: Duration?
  private var provenAt: Duration?
  private var triedAt: Duration?

  /// Begins with nothing known.
  public init() {}

  /// True while it is not believed, by the host's uptime.
  public func isDoubted(at uptime: Duration) -> Bool { doubtedUntil.map { uptime < $0 } ?? false }

  /// True if it has lately shown a referral that is known to hold its key.
  public func isProven(at uptime: Duration) -> Bool { provenAt.map { uptime < $0 + Self.proofLasts } ?? false }

  /// True if it may be proven now by a key that is known to be held.
  public func mayTryProof(at uptime: Duration) -> Bool { triedAt.map { uptime >= $0 + Self.proofInterval } ?? true }

  /// Takes in that it showed what it should; returns true if it was in doubt.
  public mutating func prove(at uptime: Duration) -> Bool {
    defer { (provenAt, doubtedUntil, triedAt) = (uptime, nil, nil) }
    return doubtedUntil != nil
  }

  /// Takes in a try to prove it.
  public mutating func tryProof(at uptime: Duration) { triedAt = uptime }

  /// Takes in that it can't be believed; returns true if that is new.
  public mutating func doubt(at uptime: Duration) -> Bool {
    defer { (doubtedUntil, provenAt) = (uptime + Self.doubtLasts, nil) }
    return doubtedUntil == nil
  }
}
