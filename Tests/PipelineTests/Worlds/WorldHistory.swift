import Conversions

@testable import WorldOracle

/// The facts that the API and the shop showed at each time, as the oracle is told them.
struct WorldHistory: Sendable {
  /// The most time from the question and the look at the row to a send.
  static let patience = Duration.seconds(5)

  private struct Moment<Facts: Hashable & Sendable>: Sendable {
    var from: Duration
    var facts: Facts
  }

  private struct Shown: Hashable, Sendable {
    var referrals: [ReferralFact]
    var ghosts: [ReferralFact]
  }

  private struct Kept: Hashable, Sendable {
    var orders: [OrderFact]
    var removed: [OrderFact]
    var acts: WorldActs
  }

  private var api: [Moment<Shown>] = []
  private var shop: [Moment<Kept>] = []
  private var expiredAt: [ReferralID: Int64] = [:]

  mutating func note(_ table: ReferralTable, ghosts: [Referral], at uptime: Duration, now: Timestamp) {
    for referral in table.referrals.values where referral.status == .expired && expiredAt[referral.id] == nil {
      expiredAt[referral.id] = now.milliseconds
    }
    let facts = Shown(referrals: table.referrals.values.map(fact), ghosts: ghosts.map(fact))
    if api.last?.facts != facts { api.append(Moment(from: uptime, facts: facts)) }
  }

  mutating func note(_ rows: [Int: WorldRow], removed: [WorldRow], acts: WorldActs, at uptime: Duration) {
    let facts = Kept(
      orders: rows.keys.sorted().compactMap { rows[$0]?.fact }, removed: removed.map(\.fact), acts: acts)
    if shop.last?.facts != facts { shop.append(Moment(from: uptime, facts: facts)) }
  }

  private func fact(_ referral: Referral) -> ReferralFact {
    ReferralFact(
      id: referral.id.text, status: referral.status.rawValue, email: referral.friendEmail,
      external: referral.externalSourceID, referrer: referral.referrerIdentifier,
      madeAt: referral.createdAt.milliseconds,
      expiredAt: referral.status == .expired ? expiredAt[referral.id] : nil)
  }

  /// Every pair of what the API showed since a time, and the shop lately: either may have been looked at a little
  /// before the other.
  func lately(
    _ rules: WorldRules, paid: [Payment], at uptime: Duration, now: Timestamp, apiSince: Duration? = nil
  ) -> [WorldFacts] {
    let lately = uptime - Self.patience
    return Self.moments(api, since: min(apiSince ?? lately, lately)).flatMap { shown in
      Self.moments(shop, since: lately).map { kept in
        WorldFacts(
          now: now.milliseconds, referrals: shown.referrals, ghosts: shown.ghosts, orders: kept.orders,
          removed: kept.removed, rules: rules.facts, discarded: kept.acts.discarded, held: kept.acts.held, paid: paid)
      }
    }
  }

  private static func moments<Facts>(_ moments: [Moment<Facts>], since time: Duration) -> [Facts] {
    moments[(moments.lastIndex { $0.from <= time } ?? 0)...].map(\.facts).reversed()
  }
}

extension WorldRow {
  var fact: OrderFact {
    OrderFact(
      id: id, email: email, external: external, cents: cents, qualifies: qualifies,
      placedAt: placed.milliseconds)
  }
}

extension WorldRules {
  var facts: RuleFacts {
    RuleFacts(
      keys: keys.map { $0 == .email ? .email : .external }, takesLast: choose == .last,
      window: window.wholeMilliseconds, hold: hold.wholeMilliseconds, reviewsSelf: reviewsSelf)
  }
}
