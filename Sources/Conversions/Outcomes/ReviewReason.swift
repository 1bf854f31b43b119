/// The reason why an order needs a person. A journal field and a filter of `queue list`, so the spelling is fixed.
public struct ReviewReason: RawRepresentable, Hashable, Sendable, Codable {
  /// The code as operators see it.
  public let rawValue: String

  /// Makes a code as operators see it.
  public init(rawValue: String) { self.rawValue = rawValue }

  /// The total is NULL, NaN, infinite, negative, more than 2^53, or has a fraction of a cent.
  public static let invalidAmount = Self(rawValue: "invalid_amount")
  /// The currency is not EUR, and `reporting.other_currency` is `review`.
  public static let otherCurrency = Self(rawValue: "other_currency")
  /// Buyer and referrer are the same.
  public static let selfReferral = Self(rawValue: "self_referral")
  /// Several referrals match by e-mail, and their addresses are one only by invisible marks, folded letters or IDNA.
  public static let ambiguousAddress = Self(rawValue: "ambiguous_address")
  /// The API refused the body.
  public static let rejected = Self(rawValue: "rejected")
  /// The API does not know the referral any more.
  public static let referralMissing = Self(rawValue: "referral_missing")
  /// The referral expired after the order was placed.
  public static let referralExpired = Self(rawValue: "referral_expired")
  /// 409, although the referral is not converted: the transaction ID was used for another referral.
  public static let transactionConflict = Self(rawValue: "transaction_conflict")
  /// The API answered for another referral or another value.
  public static let answerMismatch = Self(rawValue: "answer_mismatch")
  /// A value that can't be read, a NULL or empty order ID.
  public static let unreadable = Self(rawValue: "unreadable")
  /// Another row has the same order ID, or the mapping yields several rows for one key.
  public static let idRepeated = Self(rawValue: "id_repeated")
  /// An order ID that was reported came back as another order.
  public static let idReused = Self(rawValue: "id_reused")
  /// The metadata is more than the API takes.
  public static let metadataTooLarge = Self(rawValue: "metadata_too_large")
  /// Tried for longer than `reporting.give_up_after`.
  public static let gaveUp = Self(rawValue: "gave_up")
  /// Its row has been missing from the shop's table for a week, as many were.
  public static let rowMissing = Self(rawValue: "row_missing")
  /// Changed or stopped qualifying after a send with an unknown outcome.
  public static let changedWhileUnknown = Self(rawValue: "changed_while_unknown")

  /// All of them.
  public static let all: [Self] = [
    invalidAmount, otherCurrency, selfReferral, ambiguousAddress, rejected, referralMissing, referralExpired,
    transactionConflict, answerMismatch, unreadable, idRepeated, idReused, metadataTooLarge, gaveUp, rowMissing,
    changedWhileUnknown,
  ]
}
