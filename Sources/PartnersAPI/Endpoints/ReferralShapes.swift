import Conversions

/// Reads the answers of the five endpoints from JSON.
enum ReferralShapes {
  /// The most referrals that are taken from one page, ten times what the API gives.
  static let pageReferralsMax = 1000

  /// Reads a page (API reference, List referrals: Response).
  static func page(_ value: JSONValue) throws(ShapeMismatch) -> ReferralPage {
    let reader = try ShapeReader(value, "answer")
    guard let elements = value["referrals"]?.elements else { throw reader.missing("referrals") }
    guard elements.count <= pageReferralsMax else {
      throw ShapeMismatch("answer.referrals has more than \(pageReferralsMax) entries")
    }
    guard let counts = value["pagination"] else { throw reader.missing("pagination") }
    let pagination = try ShapeReader(counts, "pagination")
    var referrals: [Referral] = []
    var unreadable: [UnreadableReferral] = []
    for element in elements {
      do {
        referrals.append(try referral(element))
      } catch {
        unreadable.append(self.unreadable(element, error, place: referrals.count))
      }
    }
    return ReferralPage(
      referrals: referrals, unreadable: unreadable, page: try count(pagination, "page"),
      pageSize: try count(pagination, "pageSize"),
      total: try count(pagination, "total"))
  }

  /// Returns the readable parts of a referral that can't be read: the others of its page go on without it.
  private static func unreadable(_ value: JSONValue, _ mismatch: ShapeMismatch, place: Int) -> UnreadableReferral {
    let id = value["referralId"]?.text.flatMap { $0.isEmpty ? nil : ReferralID($0) }
    let createdAt = value["createdAt"]?.integer.map(Timestamp.init(milliseconds:))
    return UnreadableReferral(
      place: place, id: id, createdAt: createdAt, fault: mismatch.description, friendEmail: text(value["friendEmail"]),
      externalSourceID: text(value["externalSourceId"]))
  }

  /// Returns a text, or the digits of a whole number that stands in a text's place.
  private static func text(_ value: JSONValue?) -> String? { value?.text ?? value?.integer.map(String.init) }

  private static func count(_ reader: ShapeReader, _ member: String) throws(ShapeMismatch) -> Int {
    let value = try reader.integer(member)
    guard value >= 0 else { throw ShapeMismatch("\(reader.name).\(member) is negative") }
    return Int(value)
  }

  /// Reads a referral (API reference, The referral object).
  static func referral(_ value: JSONValue) throws(ShapeMismatch) -> Referral {
    let reader = try ShapeReader(value, "referral")
    return Referral(
      id: ReferralID(try id(reader)), code: try reader.optionalText("referralCode") ?? "", status: try status(reader),
      friendEmail: try reader.optionalText("friendEmail"), friendName: try reader.optionalText("friendName"),
      createdAt: Timestamp(milliseconds: try reader.integer("createdAt")),
      convertedAt: try reader.optionalInteger("convertedAt").map(Timestamp.init(milliseconds:)),
      conversionValue: try reader.optionalCents("conversionValue"), currency: try reader.optionalText("currency"),
      referrerIdentifier: try reader.optionalText("referrerIdentifier"),
      externalSourceID: try reader.optionalText("externalSourceId"))
  }

  /// Reads the answer to a creation (API reference, Create a referral: Response).
  static func created(_ value: JSONValue) throws(ShapeMismatch) -> ReferralReceipt {
    let reader = try ShapeReader(value, "answer")
    return ReferralReceipt(
      referralID: ReferralID(try id(reader)), referralCode: try reader.text("referralCode"),
      status: try status(reader), idempotent: try reader.bool("idempotent"))
  }

  /// Reads the answer to a conversion (API reference, Report a conversion: Response).
  static func converted(_ value: JSONValue) throws(ShapeMismatch) -> ConversionReceipt {
    let reader = try ShapeReader(value, "answer")
    return ConversionReceipt(
      referralID: ReferralID(try id(reader)), status: try status(reader),
      convertedAt: try reader.optionalInteger("convertedAt").map(Timestamp.init(milliseconds:)),
      conversionValue: try reader.optionalCents("conversionValue"), idempotent: try reader.bool("idempotent"))
  }

  private static func id(_ reader: ShapeReader) throws(ShapeMismatch) -> String {
    let id = try reader.text("referralId")
    guard !id.isEmpty else { throw ShapeMismatch("\(reader.name).referralId is empty") }
    return id
  }

  private static func status(_ reader: ShapeReader) throws(ShapeMismatch) -> ReferralStatus {
    guard let status = ReferralStatus(rawValue: try reader.text("status")) else {
      throw ShapeMismatch("\(reader.name).status is unknown")
    }
    return status
  }
}
