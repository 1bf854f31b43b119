/// The test for a buyer, or a friend, who seems to be the referrer. A match only asks a person, so that it compares
/// loosely, by what one person may write in two ways: capitals, a sub-address tag, and of Gmail dots and its other
/// name.
enum SamePerson {
  /// Returns the reason in a sentence; nil where buyer, friend and referrer seem to be different people.
  static func reason(_ order: Order, _ referral: MirroredReferral) -> String? {
    guard let referrer = referral.referrerIdentifier.flatMap(NormalForm.trimmed) else { return nil }
    if let customer = order.customerID.flatMap(NormalForm.trimmed), isSame(customer, referrer) {
      return "buyer and referrer of \(referral.id) are the same, by customer_id"
    }
    guard let address = EmailAddress(referrer).map(loose) else { return nil }
    if let email = order.email, loose(email) == address {
      return "buyer and referrer of \(referral.id) are the same, by e-mail"
    }
    if let friend = referral.email, loose(friend) == address {
      return "friend and referrer of \(referral.id) are the same, by e-mail"
    }
    return nil
  }

  private static func isSame(_ customer: String, _ referrer: String) -> Bool {
    if NormalForm.folded(customer[...]) == NormalForm.folded(referrer[...]) { return true }
    guard let one = EmailAddress(customer), let other = EmailAddress(referrer) else { return false }
    return loose(one) == loose(other)
  }

  /// Returns an address without a tag behind `+` (RFC 5233), of Gmail without dots and under its first name.
  private static func loose(_ address: EmailAddress) -> String {
    let (local, domain) = address.parts
    let bare = local.prefix { $0 != "+" }
    let name = bare.isEmpty ? local : bare
    guard domain == "gmail.com" || domain == "googlemail.com" else { return "\(name)@\(domain)" }
    return name.filter { $0 != "." } + "@gmail.com"
  }
}
