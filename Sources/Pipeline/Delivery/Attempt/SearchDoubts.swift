import Conversions
import Logging
import Synchronization

/// Doubts about the API's search, for each kind of key, shared by all that is under way; logged once each.
public final class SearchDoubts: Sendable {
  private let trusts = Mutex<[MatchingKey: SearchTrust]>([:])

  /// Begins without doubts.
  public init() {}

  /// Returns the first of these keys by which a search is not believed now; nil for none.
  func doubts(_ keys: some Sequence<MatchingKey>, at uptime: Duration) -> MatchingKey? {
    trusts.withLock { trusts in keys.first { trusts[$0]?.isDoubted(at: uptime) ?? false } }
  }

  func isProven(_ key: MatchingKey, at uptime: Duration) -> Bool {
    trusts.withLock { $0[key]?.isProven(at: uptime) ?? false }
  }

  /// Returns true if a proof is to be tried now; it counts as tried then.
  func takeTry(of key: MatchingKey, at uptime: Duration) -> Bool {
    trusts.withLock { trusts in
      guard trusts[key, default: SearchTrust()].mayTryProof(at: uptime) else { return false }
      trusts[key, default: SearchTrust()].tryProof(at: uptime)
      return true
    }
  }

  func prove(_ key: MatchingKey, _ context: PipelineContext) {
    let wasDoubted = trusts.withLock { $0[key, default: SearchTrust()].prove(at: context.clock.uptime) }
    guard wasDoubted else { return }
    context.log.event(
      .searchDoubted, .notice, "the API's search by \(key.words) shows again what it should; it is believed")
  }

  func doubt(_ key: MatchingKey, _ words: String, _ context: PipelineContext) {
    let isNew = trusts.withLock { $0[key, default: SearchTrust()].doubt(at: context.clock.uptime) }
    guard isNew else { return }
    context.log.event(
      .searchDoubted, .warning,
      "the API's search by \(key.words) is not believed for an hour: \(words); first reports wait for a complete walk of "
        + "the open referrals, some minutes, instead")
  }
}

extension MatchingKey {
  /// The key as people call it.
  var words: String {
    switch self {
    case .email: "e-mail"
    case .externalSourceID: "external source ID"
    }
  }
}
