extension Order {
  /// Returns the order without what identifies people who are to be forgotten; nil where it identifies none.
  ///
  /// Of their own order neither the address, the customer ID nor the metadata stays: that is all of it that can name
  /// them. Elsewhere an address that stands in the place of a customer ID or of an external source ID goes, and
  /// metadata that holds one goes whole, as the API would be sent it. The order's ID stays: by it what was reported is
  /// known.
  ///
  /// - Parameters:
  ///   - isForgotten: True for an address that is such a person's.
  ///   - isReferrer: True for the customer ID of the referrer whose referral this may be: it stays, as the mirror knows
  ///     it anyway, and a self-referral must still be told.
  /// - Returns: The order that is left, where that is less than all.
  public func without(
    _ isForgotten: (EmailAddress) throws -> Bool, isReferrer: (String) throws -> Bool
  ) rethrows -> Order? {
    var order = self
    if let email, try isForgotten(email) {
      (order.email, order.metadata) = (nil, nil)
      if let customer = customerID, try !isReferrer(customer) { order.customerID = nil }
    }
    if let customer = order.customerID.flatMap(EmailAddress.init), try isForgotten(customer) { order.customerID = nil }
    if let reference = order.externalSourceID, let address = EmailAddress(reference.text), try isForgotten(address) {
      order.externalSourceID = nil
    }
    if let metadata = order.metadata, try MaskedText.addresses(in: metadata).contains(where: isForgotten) {
      order.metadata = nil
    }
    return order == self ? nil : order
  }
}

extension MirroredReferral {
  /// Returns the referral without the addresses of people who are to be forgotten; nil where it has none of theirs. It
  /// matches by its external source ID alone from then on.
  public func without(_ isForgotten: (EmailAddress) throws -> Bool) rethrows -> MirroredReferral? {
    var referral = self
    if let email, try isForgotten(email) { referral.email = nil }
    if let address = externalSourceID.flatMap({ EmailAddress($0.text) }), try isForgotten(address) {
      referral.externalSourceID = nil
    }
    if let address = referrerIdentifier.flatMap(EmailAddress.init), try isForgotten(address) {
      referral.referrerIdentifier = nil
    }
    return referral == self ? nil : referral
  }
}
