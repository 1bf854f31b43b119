public import Conversions
import Synchronization

/// The daemon's health, as its loops last found it: `status` shows it beside the ledger's counts. Each send notes
/// something, so that noting never waits for another task.
public final class ComponentHealth: Sendable {
  /// The health of one component.
  public struct Health: Sendable, Hashable {
    /// True if the last try worked; nil before the first.
    public var isWorking: Bool?
    /// The time since which it is so.
    public var since: Timestamp?
    /// The last failure's message.
    public var message: String?
  }

  /// The components whose health is noted.
  public enum Component: String, Sendable, CaseIterable {
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

  private let components = Mutex<[Component: Health]>([:])
  private let mappingDoubts = Mutex<[String]>([])

  /// Begins with nothing known.
  public init() {}

  /// Notes that something worked.
  public func succeeded(_ component: Component, at now: Timestamp) {
    components.withLock { components in
      if components[component]?.isWorking != true { components[component] = Health(isWorking: true, since: now) }
    }
  }

  /// Notes that something failed.
  public func failed(_ component: Component, _ message: String, at now: Timestamp) {
    components.withLock { components in
      let since = components[component]?.isWorking == false ? components[component]?.since : now
      components[component] = Health(isWorking: false, since: since, message: message)
    }
  }

  /// Forgets what was noted: another run of the loops finds out anew.
  public func forget() {
    components.withLock { $0 = [:] }
    mappingDoubts.withLock { $0 = [] }
  }

  /// Notes the doubts about the mapping that hold now.
  public func note(doubts: [String]) { mappingDoubts.withLock { $0 = doubts } }

  /// The doubts about the mapping, in the words of the log.
  public var doubts: [String] { mappingDoubts.withLock { $0 } }

  /// The components that fail now, each with the time since when, in words.
  public var failing: [String] {
    snapshot().filter { $0.value.isWorking == false }.sorted { $0.key.rawValue < $1.key.rawValue }
      .map { "\($0.key.rawValue)" + ($0.value.since.map { " since \($0)" } ?? "") }
  }

  /// Returns the health of every component.
  public func snapshot() -> [Component: Health] { components.withLock { $0 } }
}
