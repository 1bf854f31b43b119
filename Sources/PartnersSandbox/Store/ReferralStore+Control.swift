extension ReferralStore {
  /// Adds or patches raw referrals: all of them, or none and 400 naming each mistake.
  mutating func put(
    _ documents: [[SandboxJSON.Member]], partner: String, now: Int64
  ) throws(APIError) -> [SandboxReferral] {
    // Changes a copy, which shares its storage until it is changed, and is dropped if a document is refused.
    var changed = self
    var issues: [FieldIssue] = []
    var result: [SandboxReferral] = []
    for (index, members) in documents.enumerated() {
      let id = members.first { $0.name == "referralId" }?.value.text
      let base = id.flatMap { changed.referral($0) } ?? SandboxReferral(partner: partner)
      var mistakes: [FieldIssue] = []
      let referral = ReferralDocument.read(members, over: base, issues: &mistakes)
      if mistakes.isEmpty, let field = changed.clash(of: referral) {
        mistakes.append(FieldIssue(field, "Another referral has the same"))
      }
      issues += mistakes.map { FieldIssue("referrals[\(index)].\($0.field)", $0.message) }
      if mistakes.isEmpty { result.append(changed.put(referral, now: now)) }
    }
    guard issues.isEmpty else { throw .validation(issues) }
    self = changed
    return result
  }
}

extension SandboxReferral {
  /// Returns the referral with an owner: its own, or this one.
  func owned(by partner: String) -> SandboxReferral {
    guard self.partner.isEmpty else { return self }
    var referral = self
    referral.partner = partner
    return referral
  }
}

extension [SandboxReferral] {
  /// Returns them sorted by creation, so that adding many costs no more than adding at the end; ties keep their order.
  func inOrderOfCreation(now: Int64) -> [SandboxReferral] {
    enumerated().map { (created: $0.element.createdAt == 0 ? now : $0.element.createdAt, offset: $0.offset) }
      .sorted { ($0.created, $0.offset) < ($1.created, $1.offset) }
      .map { self[$0.offset] }
  }
}

extension SandboxConfiguration {
  /// The partner of referrals that name none: the default key's if it is accepted, else the first by name.
  var firstPartner: String { apiKeys[Self.defaultKey] ?? apiKeys.values.min() ?? Self.defaultPartner }
}
