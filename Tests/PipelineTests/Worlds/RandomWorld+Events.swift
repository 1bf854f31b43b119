import Conversions
import Synchronization

extension RandomWorld {
  func happen(_ event: WorldEvent) throws {
    switch event {
    case .refer(let referral): put(referral)
    case .register(let number, let email):
      change(number) { ($0.friendEmail, $0.status) = (email, $0.status == .clicked ? .pending : $0.status) }
    case .patch(let number, let external): change(number) { $0.externalSourceID = external }
    case .swap(let one, let other): swap(one, other)
    case .convert(let number): api.model.convertElsewhere(id(number).text)
    case .revert(let number): revert(id(number))
    case .expire(let number): expire(number)
    case .delete(let number): delete(id(number))
    case .insert(var row, let ago):
      row.placed = clock.trueTime - ago
      put(row)
    case .edit(let key, let edit):
      guard var row = state.withLock({ $0.rows[key] }) else { return }
      edit.apply(to: &row)
      put(row)
    case .remove(let key): remove(key)
    case .remake(let key, var row):
      guard state.withLock({ $0.rows[key] }) != nil else { return }
      row.placed = clock.trueTime
      remove(key)
      put(row)
    case .restart(let rules, let down): try restart(rules, down: down)
    case .act(let act, let order): self.act(act, on: order)
    case .search(let search): setSearch(search)
    case .watch: break
    }
  }

  private func id(_ number: Int) -> ReferralID { ReferralID("r\(number)") }

  // MARK: The API

  private func put(_ referral: WorldReferral) {
    api.model.put(
      Referral(
        id: referral.id, status: referral.status, friendEmail: referral.email,
        createdAt: Timestamp(milliseconds: (clock.trueTime - referral.age).milliseconds),
        referrerIdentifier: referral.referrer, externalSourceID: referral.external))
    touch(referral.id)
  }

  /// Takes in that a referral has other keys; a search that leaves it out from then on could be found by no program.
  private func touch(_ id: ReferralID) {
    let uptime = clock.uptime
    state.withLock { $0.changedAt[id] = uptime }
    api.model.state.withLock { state in
      if case .leavesOut(let left)? = state.searchFault, left.contains(id) { state.searchFault = .showsNothing }
    }
  }

  /// Changes a referral's keys. Of an expired one no walk of the open ones tells: while the search fails, no program
  /// could learn of it before the next full sweep.
  private func change(_ number: Int, _ change: (inout Referral) -> Void) {
    guard !isSearchFaulty || referral(number)?.status != .expired else { return }
    api.model.change(id(number).text, change)
    touch(id(number))
  }

  /// The same is true of one that expires before a walk has shown its keys.
  private func expire(_ number: Int) {
    guard !isSearchFaulty, referral(number)?.status.isOpen == true else { return }
    change(number) { $0.status = .expired }
  }

  private var isSearchFaulty: Bool { api.model.state.withLock { $0.searchFault != nil } }

  private func referral(_ number: Int) -> Referral? {
    api.model.state.withLock { $0.table.referrals[id(number)] }
  }

  private func swap(_ one: Int, _ other: Int) {
    let table = api.model.state.withLock { $0.table.referrals }
    guard let mine = table[id(one)], let theirs = table[id(other)] else { return }
    change(one) { $0.externalSourceID = theirs.externalSourceID }
    change(other) { $0.externalSourceID = mine.externalSourceID }
  }

  /// Our own conversions stay what they are: the API has no way back for a partner's program.
  private func revert(_ id: ReferralID) {
    let ours = api.model.state.withLock { $0.done.contains { $0.referralID == id } }
    guard !ours else { return }
    // Skips younger conversions: no partner takes one back between a 409 and the question that tells it apart.
    let latest = clock.trueTime - WorldHistory.patience
    api.model.change(id.text) { referral in
      guard referral.status == .converted, referral.convertedAt.map({ $0 <= latest }) ?? true else { return }
      (referral.status, referral.convertedAt, referral.conversionValue) = (.pending, nil, nil)
    }
  }

  private func delete(_ id: ReferralID) {
    let table = api.model.state.withLock { $0.table.referrals }
    // An API that knows none of the referrals it showed before is another account's; and keys that a referral had only
    // for a moment before it was deleted were shown to no program.
    guard let referral = table[id], isOld(id), table.keys.contains(where: { $0 != id && isOld($0) }) else { return }
    state.withLock { $0.ghosts.append(referral) }
    _ = api.model.state.withLock { $0.table.remove(id) }
  }

  /// An hour, and the time until the next search.
  private static let doubtLasts = Duration.seconds(3700)

  private func setSearch(_ search: WorldSearch?) {
    let fault: SearchFault? =
      switch search {
      case .leavesOut(let number): isOld(id(number)) ? .leavesOut([id(number)]) : .showsNothing
      case .showsNothing?: .showsNothing
      case .drowns?: .drowns
      case .status(let status)?: .status(status)
      case .slow(let wait)?: .slow(wait)
      case nil: nil
      }
    let expired = api.model.state.withLock { $0.table.referrals.values.filter { $0.status == .expired } }
    if fault != nil, !expired.allSatisfy({ isOld($0.id) }) { return }
    api.model.state.withLock { $0.searchFault = fault }
    let end = fault == nil ? clock.uptime + Self.doubtLasts : .seconds(1_000_000_000)
    state.withLock { $0.doubtedUntil = fault == nil ? min($0.doubtedUntil, end) : end }
  }

  /// Returns true if the mirror knows a referral as it is.
  private func isOld(_ id: ReferralID) -> Bool {
    let changedAt = state.withLock { $0.changedAt[id] }
    return changedAt.map { $0 <= max(VirtualClock().uptime, clock.uptime - .seconds(43_200)) } ?? false
  }

  // MARK: The shop

  private func put(_ row: WorldRow) {
    let uptime = clock.uptime
    state.withLock { state in
      // In normal form: an address in other letters is the same.
      if state.rows[row.key]?.order != row.order { state.rowsChangedAt[row.key] = uptime }
      state.rows[row.key] = row
    }
    shop.put(row.order)
  }

  private func remove(_ key: Int) {
    state.withLock { state in
      if let row = state.rows.removeValue(forKey: key) { state.removed.append(row) }
    }
    shop.remove(OrderKey(String(key)))
  }

  // MARK: The operator

  /// Acts as `queue discard`, `hold` and `release` do; on an order that is reported, or may be, no act is possible.
  private func act(_ act: WorldAct, on id: String) {
    guard let (ledger, life) = state.withLock({ state in state.ledger.flatMap { l in state.life.map { (l, $0) } } })
    else { return }
    let now = clock.now
    Task(executorPreference: executor) { [self] in
      let store = SimulatedLedger(base: ledger, life: life)
      let isSaid = try await store.transaction { transaction in
        guard let order = try transaction.entries(ofOrder: id).last else { return false }
        let isFree = order.outcome != .reported && order.outcome != .sending && order.frozen?.hasUnknownOutcome != true
        guard isFree || act == .release else { return false }
        if act != .release, order.frozen != nil { try transaction.unfreeze(order.entry) }
        let kind: OperatorAct.Kind? = act == .release ? nil : act == .hold ? .hold : .discard
        let word = kind.map { OperatorAct(kind: $0, reason: nil, actor: "operator", actedAt: now) }
        try transaction.setAct(word, on: id)
        return true
      }
      if isSaid { state.withLock { $0.acts.take(act, on: id) } }
      state.withLock(\.wake)?()
    }
  }
}
