extension AttributionRules {
  /// Decides what is to become of an order that was never sent, from every mirrored referral that shares a key with it;
  /// `holder` looks up which other order holds a referral.
  public func decide(
    _ order: Order, among referrals: [MirroredReferral], context: DecisionContext,
    holder: (ReferralID) throws -> DecisionContext.Holder?
  ) rethrows -> Decision {
    if context.idIsRepeated {
      return Decision(review: .idRepeated, "another row has the same order ID \(order.transactionID)")
    }
    guard order.qualifies else {
      return context.hadQualified
        ? Decision(.cancelled, reason: DecisionReason.noLongerQualifies)
        // When it can matter no more it leaves, as one does that was never young here.
        : Decision(.notQualifying, lookAgainAt: order.placedAt.latest + waitForReferral)
    }
    let attribution = Attribution(of: order, among: referrals, rules: self)
    var decision: Decision
    if let chosen = attribution.chosen {
      decision = attribution.doubt ?? judge(order, chosen: chosen.referral, context: context)
      if decision.claims, let other = try holder(chosen.referral.id) {
        if outranks(order, other, context: context) {
          decision.displaces = true
        } else {
          decision = behind(other, referral: chosen.referral.id)
        }
      }
    } else {
      let hadCandidates = attribution.candidates.contains { $0.verdict != .gone }
      decision = unmatched(order, hadCandidates: hadCandidates, context: context)
    }
    decision.candidates = attribution.candidates
    return decision
  }

  /// Whether an order that was never sent can matter no more: it was decided without a report, and is too old to wait for
  /// a referral. Should its row change, it is read and decided anew. All that remains of it is a count.
  public func isPast(_ order: Order, _ decision: Decision, now: Timestamp) -> Bool {
    guard now >= order.placedAt.latest + waitForReferral else { return false }
    return switch decision.outcome {
    case .notQualifying, .noReferral, .outsideWindow: true
    default: false
    }
  }

  private func judge(
    _ order: Order, chosen referral: MirroredReferral, context: DecisionContext
  ) -> Decision {
    let now = context.now
    switch referral.status {
    case .converted: return superseded(by: referral, context: context)
    case .expired:
      return Decision(
        review: .referralExpired, "its referral \(referral.id) expired, for all we know after the order was placed",
        referralID: referral.id, claims: true)
    case .clicked, .pending: break
    }
    // Nothing could be sent for it, so nothing is tried.
    guard referral.id.fitsURL else {
      return Decision(
        review: .rejected, "no URL can name its referral \(referral.id)", referralID: referral.id)
    }
    if selfReferral == .review, let words = SamePerson.reason(order, referral) {
      return Decision(review: .selfReferral, words, referralID: referral.id, claims: true)
    }
    switch amounts.judge(order.total) {
    case .refused(let reason, let detail):
      return Decision(review: reason, detail, referralID: referral.id, claims: true)
    case .value(let cents):
      let heldUntil = order.placedAt.latest + hold
      var decision = Decision(now < heldUntil ? .held : .queued)
      if now < heldUntil { decision.hold(order.placedAt, hold, until: heldUntil) }
      decision.referralID = referral.id
      decision.claims = true
      decision.value = cents
      return decision
    }
  }

  /// This is final, as nobody could tell later what the referral was converted for. So it is said only when no other
  /// referral can turn out to be the order's: when all that were made before the order was seen are known.
  private func superseded(by referral: MirroredReferral, context: DecisionContext) -> Decision {
    var decision = Decision(.superseded, reason: DecisionReason.alreadyConverted)
    decision.referralID = referral.id
    let seenAt = min(context.firstSeenAt, context.now)
    if context.referralsKnownTo.map({ $0 >= seenAt }) ?? false {
      decision.detail = "its referral \(referral.id) was converted before this order was reported"
    } else {
      (decision.outcome, decision.reason) = (.waiting, DecisionReason.mirrorBehind)
      decision.detail = "referral \(referral.id) is converted; another one may be the order's that is not known yet"
      // The longer it has waited the later: the API may be away for a week.
      let hours = max(seenAt, context.now - .seconds(4 * 3600))
      decision.lookAgainAt = context.now + max((context.now - hours) / 4, .seconds(15))
    }
    return decision
  }

  /// A referral converts once. The first seen keeps it; but while the first catch-up, or the holder's hold, lasts, the
  /// earliest placed takes it, then the lowest key, so that the order of reading decides nothing.
  private func outranks(_ order: Order, _ other: DecisionContext.Holder, context: DecisionContext) -> Bool {
    guard !other.isFrozen, other.outcome == .held || context.isCatchingUp else { return false }
    let (mine, theirs) = (order.placedAt.earliest, other.placedAt.earliest)
    return mine < theirs || (mine == theirs && order.key.precedes(other.key))
  }

  private func behind(_ other: DecisionContext.Holder, referral: ReferralID) -> Decision {
    var decision = Decision(.waiting, reason: DecisionReason.behindOther)
    decision.detail = "order entry \(other.entry) holds referral \(referral)"
    decision.referralID = referral
    return decision
  }

  /// "No referral" is said only when the order has waited long enough, and a complete sweep that began after the order
  /// was seen has not shown one.
  private func unmatched(_ order: Order, hadCandidates: Bool, context: DecisionContext) -> Decision {
    let waitsUntil = order.placedAt.latest + waitForReferral
    guard context.now >= waitsUntil else {
      return Decision(.waiting, reason: DecisionReason.noReferralYet, lookAgainAt: waitsUntil)
    }
    guard let complete = context.mirrorCompleteSince, complete > context.firstSeenAt else {
      return Decision(.waiting, reason: DecisionReason.mirrorIncomplete)
    }
    return Decision(hadCandidates ? .outsideWindow : .noReferral)
  }
}

extension Attribution {
  /// The decision where a person must tell two addresses apart; nil where there is no doubt.
  fileprivate var doubt: Decision? {
    guard let chosen, let doubtful else { return nil }
    return Decision(
      review: .ambiguousAddress,
      "the addresses of \(chosen.referral.id) and \(doubtful.referral.id) differ in how they are written: in invisible "
        + "marks, in letters beyond ASCII, or in the domain",
      referralID: chosen.referral.id, claims: true)
  }
}

extension OrderKey {
  /// Whether this key comes before another: numbers by value, then everything else by its bytes. A total order, as a
  /// shop may have keys of both kinds, and with 9 < 10 < 1a < 9 the order of reading would decide.
  public func precedes(_ other: OrderKey) -> Bool {
    let (mine, theirs) = (Int64(text), Int64(other.text))
    if let mine, let theirs, mine != theirs { return mine < theirs }
    if (mine == nil) != (theirs == nil) { return mine != nil }
    return text.utf8.lexicographicallyPrecedes(other.text.utf8)
  }
}
