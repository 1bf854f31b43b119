/// Changes that a partner's backend, a friend or the vendor makes to referrals while another program reads them.
extension PartnersSandbox {
  /// Replaces what `search=` finds.
  public func setSearch(_ search: SandboxSearch) { service.search = search }

  /// Replaces a referral's external source ID, as a partner's PATCH does; `nil` takes it away.
  public func setExternalSourceID(_ id: String, to externalSourceID: String?) throws {
    try change(id) { $0.externalSourceID = externalSourceID }
  }

  /// Replaces the friend's e-mail; a clicked referral that gains one is registered, with `createdAt` as it was.
  public func setFriendEmail(_ id: String, to friendEmail: String?) throws {
    try change(id) {
      $0.friendEmail = friendEmail
      if $0.status == .clicked, friendEmail != nil { $0.status = .pending }
    }
  }

  /// Replaces a referral's status; one that is no longer converted loses what came with its conversion.
  public func setStatus(_ id: String, to status: SandboxReferral.Status) throws {
    try change(id) {
      $0.status = status
      guard status != .converted else { return }
      $0.convertedAt = nil
      $0.conversionValue = nil
      $0.externalTransactionID = nil
      $0.conversionMetadata = nil
    }
  }

  /// Deletes a referral: it is in no list, and its GET is 404.
  public func delete(_ id: String) throws {
    guard service.store.remove(id) else { throw SandboxError.noSuchReferral(id) }
    service.listed[id] = nil
  }

  /// Makes lists show a referral as `body` makes it of its present state, whatever becomes of it; its GET stays true.
  public func setListed(_ id: String, _ body: @Sendable (inout SandboxReferral) -> Void = { _ in }) throws {
    guard var referral = service.store.referral(id) else { throw SandboxError.noSuchReferral(id) }
    body(&referral)
    referral.referralID = id
    service.listed[id] = referral
  }

  /// Makes lists show the referral as it is again.
  public func setListedTruly(_ id: String) { service.listed[id] = nil }
}
