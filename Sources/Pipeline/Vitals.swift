public import Conversions
import Synchronization

/// How the daemon is, as its loops last found it: what `status` shows beside the ledger's counts. Each send notes
/// something, so there is nobody to wait for.
public final class Vitals: Sendable {
  /// How one thing outside is.
  public struct Health: Sendable, Hashable {
    /// Whether the last try worked; nil before the first.
    public var isWell: Bool?
    /// Since when it is so.
    public var since: Timestamp?
    /// The last failure's message.
    public var message: String?
  }

  /// The things outside.
  public enum Organ: String, Sendable, CaseIterable {
    /// The shop's database.
    case database
    /// The API's reads.
    case referrals
    /// The API's writes.
    case delivery
    /// The ledger.
    case ledger
    /// The ledger's size against what it may be.
    case room
  }

  private let organs = Mutex<[Organ: Health]>([:])

  /// Nothing known yet.
  public init() {}

  /// Notes that something worked.
  public func well(_ organ: Organ, at now: Timestamp) {
    organs.withLock { organs in
      if organs[organ]?.isWell != true { organs[organ] = Health(isWell: true, since: now) }
    }
  }

  /// Notes that something failed.
  public func ill(_ organ: Organ, _ message: String, at now: Timestamp) {
    organs.withLock { organs in
      let since = organs[organ]?.isWell == false ? organs[organ]?.since : now
      organs[organ] = Health(isWell: false, since: since, message: message)
    }
  }

  /// How everything is.
  public func snapshot() -> [Organ: Health] { organs.withLock { $0 } }
}
