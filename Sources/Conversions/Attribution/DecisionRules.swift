extension AttributionRules {
  /// Decides an order that was never sent: the one place for what intake sees, for what matching decides again, and for
  /// what a send is about to report.
  ///
  /// - Parameters:
  ///   - facts: All that is known of the order itself.
  ///   - referrals: Every mirrored referral that shares a key with it.
  ///   - context: All that is known beside it.
  ///   - holder: Looks up the other order that holds a referral.
  /// - Returns: The decision.
  public func decide(
    _ facts: OrderFacts, among referrals: [MirroredReferral], context: DecisionContext,
    holder: (ReferralID) throws -> DecisionContext.Holder?
  ) rethrows -> Decision {
    if facts.act?.kind == .discard {
      return Decision(.discarded, reason: DecisionReason.byOperator, detail: facts.act?.reason)
    }
    if facts.isGone { return Decision(.cancelled, reason: DecisionReason.gone, detail: "the row is gone") }
    if facts.isExcluded {
      return Decision(
        .cancelled, reason: DecisionReason.noLongerQualifies,
        detail: "its row is there, and no order any more: orders.where leaves it out")
    }
    let order: Order
    switch facts.row {
    case .unreadable(let row): return Decision(review: row.reason, row.detail)
    case .readable(let readable): order = readable
    }
    guard order.qualifies else {
      return facts.hadQualified
        ? Decision(.cancelled, reason: DecisionReason.noLongerQualifies, detail: "it \(order.disqualification)")
        // The time from which `isPast` is true: the order is dismissed then, as one is that was old when first seen.
        : Decision(.notQualifying, lookAgainAt: order.placedAt.latest + waitForReferral)
    }
    if facts.idIsRepeated {
      guard !facts.idIsUnproven else {
        return Decision(
          .waiting, reason: DecisionReason.idCheck,
          detail: "another row was seen with the same order ID; the shop is asked which of them are there")
      }
      return Decision(review: .idRepeated, "another row has the same order ID \(order.transactionID)")
    }
    var decision = try match(order, facts, among: referrals, context: context, holder: holder)
    holdBack(&decision, facts)
    return decision
  }

  /// Matches an order that qualifies, and judges it against the referral that is chosen.
  private func match(
    _ order: Order, _ facts: OrderFacts, among referrals: [MirroredReferral], context: DecisionContext,
    holder: (ReferralID) throws -> DecisionContext.Holder?
  ) rethrows -> Decision {
    let attribution = Attribution(of: order, among: referrals, rules: self)
    var decision: Decision
    if let chosen = attribution.chosen {
      decision = attribution.doubt ?? judge(order, facts, chosen: chosen.referral, context: context)
      if decision.claims, let other = try holder(chosen.referral.id) {
        if outranks(order, other, context: context) {
          decision.displaces = true
        } else {
          decision = behind(other, referral: chosen.referral.id)
        }
      }
    } else {
      let hadCandidates = attribution.candidates.contains { $0.verdict != .gone }
      decision = unmatched(order, facts, hadCandidates: hadCandidates, context: context)
    }
    decision.candidates = attribution.candidates
    return decision
  }

  /// Holds back an order that could be sent where an operator's act, or a change of the rules, demands it.
  private func holdBack(_ decision: inout Decision, _ facts: OrderFacts) {
    guard decision.outcome == .queued || decision.outcome == .held else { return }
    if facts.act?.kind == .hold {
      (decision.outcome, decision.reason, decision.detail) = (.held, DecisionReason.byOperator, facts.act?.reason)
      decision.lookAgainAt = nil
    } else if facts.isRevalued(by: decision) || facts.isOpenedByRules && decision.outcome == .queued {
      // One that `reporting.hold` still keeps back, too: at its end nothing tells any more that its amount was another.
      (decision.outcome, decision.reason, decision.lookAgainAt) = (.held, DecisionReason.rulesChanged, nil)
      decision.detail =
        "changed rules \(facts.isRevalued(by: decision) ? "gave it another amount" : "made it sendable"); release it: "
        + "conversiond queue release ALL --reason rules_changed"
    }
  }

  /// True once an order that was never sent can matter no more: it was decided without a report, and is too old to wait
  /// for a referral. Should its row change, it is read and decided anew. All that remains of it is a count.
  public func isPast(_ order: Order, _ decision: Decision, now: Timestamp) -> Bool {
    guard now >= order.placedAt.latest + waitForReferral else { return false }
    return switch decision.outcome {
    case .notQualifying, .noReferral, .outsideWindow: true
    default: false
    }
  }

  /// The wait between two looks at an order that ends only by a confirmed clock.
  private static let clockWait = Duration.seconds(60)

  private func judge(
    _ order: Order, _ facts: OrderFacts, chosen referral: MirroredReferral, context: DecisionContext
  ) -> Decision {
    switch referral.status {
    case .converted: return superseded(order, facts, by: referral, context: context)
    case .expired:
      let words = "its referral \(referral.id) expired, for all we know after the order was placed"
      guard context.knowsOpenReferrals(since: facts.firstSeenAt) else { return awaitWalk(referral, words) }
      return Decision(review: .referralExpired, words, referralID: referral.id, claims: true)
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
      var decision = Decision(.queued)
      decision.referralID = referral.id
      decision.claims = true
      decision.value = cents
      holdUntilItIsOver(&decision, order, context)
      return decision
    }
  }

  /// Keeps an order back for `reporting.hold`, which counts from the last instant at which it may have been placed.
  private func holdUntilItIsOver(_ decision: inout Decision, _ order: Order, _ context: DecisionContext) {
    let heldUntil = order.placedAt.latest + hold
    // A hold that a wrong clock ends too early would give the referral to the order first seen, not to the first
    // placed.
    if context.now >= heldUntil, hold > .zero, !context.isTimeConfirmed {
      (decision.outcome, decision.reason) = (.held, DecisionReason.hold)
      decision.lookAgainAt = context.now + Self.clockWait
      decision.detail = "its hold is over by the host's clock, which is unconfirmed"
    }
    guard context.now < heldUntil else { return }
    decision.outcome = .held
    decision.hold(order.placedAt, hold, until: heldUntil, now: context.now)
  }

  /// Decides an order whose referral was converted by another order or program, so that nothing is left to report. In a
  /// time of which the ledger knows nothing, it may have been this very order that was reported.
  private func superseded(
    _ order: Order, _ facts: OrderFacts, by referral: MirroredReferral, context: DecisionContext
  ) -> Decision {
    if let convertedAt = referral.convertedAt, context.unknownTime?.contains(convertedAt) == true,
      order.placedAt.earliest <= convertedAt, amounts.judge(order.total) == .value(referral.conversionValue)
    {
      var decision = Decision(
        .reported, reason: DecisionReason.evidenceAPI,
        detail: "evidence: API: referral \(referral.id) was converted with this order's value at a time of which this "
          + "ledger, restored or rebuilt, knows nothing")
      (decision.referralID, decision.value, decision.claims) = (referral.id, referral.conversionValue, true)
      return decision
    }
    let words = "its referral \(referral.id) was converted before this order was reported"
    guard context.knowsOpenReferrals(since: min(facts.firstSeenAt, context.now)) else {
      return awaitWalk(referral, words)
    }
    var decision = Decision(.superseded, reason: DecisionReason.alreadyConverted, detail: words)
    decision.referralID = referral.id
    return decision
  }

  /// Puts off a final decision until no other referral can turn out to be the order's.
  private func awaitWalk(_ referral: MirroredReferral, _ words: String) -> Decision {
    var decision = Decision(
      .waiting, reason: DecisionReason.mirrorBehind,
      detail:
        "\(words), as far as is known: it waits for a complete walk of the open referrals, another of which may be "
        + "the order's")
    decision.referralID = referral.id
    return decision
  }

  /// A referral converts once. The order first seen keeps it; but while the first catch-up, or the holder's hold,
  /// lasts, the earliest placed takes it, then the lowest key, so that the order of reading decides nothing.
  private func outranks(_ order: Order, _ other: DecisionContext.Holder, context: DecisionContext) -> Bool {
    guard !other.isFrozen, other.outcome == .held || context.isCatchingUp else { return false }
    let (mine, theirs) = (order.placedAt.earliest, other.placedAt.earliest)
    return mine < theirs || (mine == theirs && order.key.precedes(other.key))
  }

  private func behind(_ other: DecisionContext.Holder, referral: ReferralID) -> Decision {
    var decision = Decision(.waiting, reason: DecisionReason.behindOther)
    decision.detail = "order \(other.orderID) (#\(other.entry)) holds referral \(referral)"
    if other.outcome == .review || other.reason == DecisionReason.byOperator {
      let state = other.outcome == .review ? "needs a person (\(other.reason ?? "review"))" : "is held by an operator"
      decision.detail? +=
        " and \(state): decide that one first (`conversiond queue show \(other.nameInShell)`), or give it up with "
        + "`conversiond queue discard \(other.nameInShell)`"
    }
    decision.referralID = referral
    return decision
  }

  /// Decides on "no referral" only when the order has waited long enough, and a complete sweep that began after the
  /// order was seen has not shown one.
  private func unmatched(
    _ order: Order, _ facts: OrderFacts, hadCandidates: Bool, context: DecisionContext
  ) -> Decision {
    let waitsUntil = order.placedAt.latest + waitForReferral
    guard context.now >= waitsUntil else {
      return Decision(.waiting, reason: DecisionReason.noReferralYet, lookAgainAt: waitsUntil)
    }
    guard context.isTimeConfirmed else {
      return Decision(
        .waiting, reason: DecisionReason.clockUnconfirmed,
        detail: "its wait is over by the host's clock, which is unconfirmed",
        lookAgainAt: context.now + Self.clockWait)
    }
    guard let complete = context.mirrorCompleteSince, complete > facts.firstSeenAt else {
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
  /// True if this key comes before another: numbers by value, then everything else by its bytes. A total order, as a
  /// shop may have keys of both kinds, and with 9 < 10 < 1a < 9 the order of reading would decide.
  public func precedes(_ other: OrderKey) -> Bool {
    let (mine, theirs) = (Int64(text), Int64(other.text))
    if let mine, let theirs, mine != theirs { return mine < theirs }
    if (mine == nil) != (theirs == nil) { return mine != nil }
    return text.utf8.lexicographicallyPrecedes(other.text.utf8)
  }
}
