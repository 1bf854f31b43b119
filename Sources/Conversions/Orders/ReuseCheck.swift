/// Tells an order that was reported, and corrected since, from another order that the shop gave its ID. The values are
/// those of the order that was reported.
public struct ReuseCheck: Hashable, Sendable {
  /// The decision on an order that has become another one.
  public static let review = Decision(
    review: .idReused, "this order was reported, and has come back with another time of placing and another buyer")
  /// The most that a shop's times may be moved by a zone that was put right, or by rounding to a day.
  private static let shiftMax = Duration.seconds(26 * 3600)

  /// The earliest time at which it may have been placed; nil where its row couldn't be read.
  public var placedFrom: Timestamp?
  /// The buyer's address.
  public var email: String?
  /// The partner's reference to the referral.
  public var externalSourceID: String?
  /// The buyer as the shop names referrers.
  public var customerID: String?

  /// Takes what is known of the reported order.
  public init(placedFrom: Timestamp?, email: String?, externalSourceID: String?, customerID: String?) {
    (self.placedFrom, self.email) = (placedFrom, email)
    (self.externalSourceID, self.customerID) = (externalSourceID, customerID)
  }

  /// Returns true if a row is another order under the ID of this one: by its time of placing and by its buyer. If no
  /// buyer is known to compare with, a time that a zone or rounding can't explain tells as much.
  public func isOther(_ order: Order) -> Bool {
    guard let placedFrom, order.placedAt.earliest != placedFrom else { return false }
    let buyers = [
      (email, order.email?.text), (externalSourceID, order.externalSourceID?.text), (customerID, order.customerID),
    ]
    let pairs = buyers.compactMap { known, shown in known.flatMap { known in shown.map { (known, $0) } } }
    if pairs.isEmpty {
      // Saturates.
      let shift = order.placedAt.earliest - placedFrom
      return max(shift, .zero - shift) > Self.shiftMax
    }
    return pairs.allSatisfy { !$0.utf8.elementsEqual($1.utf8) }
  }
}
