/// A moment of the API, the shop, the configuration and the operator's acts, and the payments that are right in it.
/// Imports nothing of the product: two programs that share a fault agree about it. Times are milliseconds.
struct WorldFacts: Hashable, Sendable {
  enum Key: Hashable, Sendable { case email, external }

  var now: Int64
  var referrals: [ReferralFact]
  /// Referrals that the API does not show any more: for one that was converted nothing is paid, and one that was open
  /// may keep its order with a person.
  var ghosts: [ReferralFact]
  var orders: [OrderFact]
  /// Rows that are gone: a person may still have their orders.
  var removed: [OrderFact] = []
  var rules: RuleFacts
  /// Orders that an operator discarded, and those that one holds.
  var discarded: Set<String>
  var held: Set<String>
  var paid: [Payment]

  /// Says why a payment is wrong in this moment; nil for a right one.
  func objection(to payment: Payment) -> String? {
    let rows = orders.filter { $0.id == payment.order }
    guard rows.count == 1, let order = rows.first else { return "\(rows.count) rows have this ID" }
    if paid.contains(where: { $0.order == order.id }) { return "the order was paid" }
    if paid.contains(where: { $0.referral == payment.referral }) { return "the referral was paid for" }
    if discarded.contains(order.id) { return "an operator discarded the order" }
    if held.contains(order.id) { return "an operator holds the order" }
    if !order.qualifies { return "the order does not qualify" }
    if payment.cents != order.cents { return "the order's value is \(order.cents)" }
    if now < order.placedAt + rules.hold { return "the order is on hold" }
    guard let chosen = choice(of: order) else { return "no referral is the order's" }
    guard chosen.id == payment.referral else { return "the order's referral is \(chosen.id)" }
    guard chosen.status == "clicked" || chosen.status == "pending" else { return "the referral is \(chosen.status)" }
    return refersItself(order, chosen) ? "the buyer is the referrer" : nil
  }

  /// Payments that must have been made in a moment that has lasted: every right one that nothing leaves open. An expiry
  /// of a time that the API doesn't tell, or another order that is a person's, its row there or not, may keep a
  /// referral from its order.
  var due: [Payment] {
    orders.compactMap { order in
      guard let chosen = choice(of: order, among: ghosts) else { return nil }
      let payment = Payment(order: order.id, referral: chosen.id, cents: order.cents)
      let mayExpire = (referrals + ghosts).contains { one in
        one.status == "expired" && rules.keys.contains { shares($0, order, one) }
      }
      let isKept =
        orders.count { held.contains($0.id) } < held.count
        || (orders + removed).contains { other in
          other.id != order.id && choice(of: other)?.id == chosen.id
            && (held.contains(other.id) || refersItself(other, chosen))
        }
      return mayExpire || isKept || objection(to: payment) != nil ? nil : payment
    }
  }

  /// The referral that decides an order, open or not: by the first key that has any, the first or the last made.
  private func choice(of order: OrderFact, among more: [ReferralFact] = []) -> ReferralFact? {
    let peers = rules.keys.lazy.map { key in (referrals + more).filter { shares(key, order, $0) && isTimely(order, $0) }
    }
    let sorted = peers.first { !$0.isEmpty }?.sorted { ($0.madeAt, $0.id) < ($1.madeAt, $1.id) }
    return rules.takesLast ? sorted?.last : sorted?.first
  }

  private func shares(_ key: Key, _ order: OrderFact, _ referral: ReferralFact) -> Bool {
    let (mine, theirs) = key == .email ? (order.email, referral.email) : (order.external, referral.external)
    return mine != nil && plain(mine, key) != "" && plain(mine, key) == plain(theirs, key)
  }

  private func isTimely(_ order: OrderFact, _ referral: ReferralFact) -> Bool {
    let age = order.placedAt - referral.madeAt
    return age >= 0 && age <= rules.window && referral.expiredAt.map { $0 > order.placedAt } ?? true
  }

  private func refersItself(_ order: OrderFact, _ referral: ReferralFact) -> Bool {
    let referrer = plain(referral.referrer, .email)
    return rules.reviewsSelf && [order.email, referral.email].contains { $0 != nil && plain($0, .email) == referrer }
  }

  private func plain(_ text: String?, _ key: Key) -> String? {
    let trimmed = text?.split(separator: " ").joined(separator: " ")
    return key == .email ? trimmed?.lowercased() : trimmed
  }
}
