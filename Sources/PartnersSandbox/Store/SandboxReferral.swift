/// A referral as the sandbox keeps it: the fields of API reference, The referral object, and what the service
/// knows beside them.
public struct SandboxReferral: Sendable, Hashable {
  /// The status of a referral.
  public enum Status: String, Sendable, Hashable, CaseIterable {
    /// The link was opened; the friend may not be known yet.
    case clicked
    /// The friend is known.
    case pending
    /// A conversion was reported.
    case converted
    /// Too old to convert.
    case expired
  }

  /// The stable ID, unique within the sandbox; empty asks the sandbox for one.
  public var referralID: String
  /// The account it belongs to; others get 404.
  public var partner: String
  /// The referrer's share code of 8 characters; empty asks for one, the same for every referral of a referrer.
  public var referralCode: String
  /// The status.
  public var status: Status
  /// The friend's e-mail address; a clicked referral may have none yet.
  public var friendEmail: String?
  /// The friend's name; a clicked referral may have none yet.
  public var friendName: String?
  /// The time at which it was made, in milliseconds since 1970; 0 asks for the present.
  public var createdAt: Int64
  /// The time at which it was converted, in milliseconds since 1970.
  public var convertedAt: Int64?
  /// The order value in cents.
  public var conversionValue: Int64?
  /// The partner's identifier for the referrer.
  public var referrerIdentifier: String?
  /// The address that `referrerEmail=` compares with; without it, `referrerIdentifier` if that is an e-mail address.
  public var referrerEmail: String?
  /// The partner's identifier for the referral.
  public var externalSourceID: String?
  /// An object of at most 4 KiB.
  public var metadata: SandboxJSON
  /// The transaction ID it was converted under.
  public var externalTransactionID: String?
  /// The metadata that came with the conversion; the reference shows it nowhere, so only the sandbox does.
  public var conversionMetadata: SandboxJSON?
  /// Fields that the API shows as these values, whatever they are: a server that breaks its own reference.
  public var shownInstead: [String: SandboxJSON] = [:]

  /// Creates a referral; what is left out is chosen when it is put into the sandbox.
  public init(
    referralID: String = "", partner: String = "", referralCode: String = "", status: Status = .pending,
    friendEmail: String? = nil, friendName: String? = nil, createdAt: Int64 = 0, convertedAt: Int64? = nil,
    conversionValue: Int64? = nil, referrerIdentifier: String? = nil, referrerEmail: String? = nil,
    externalSourceID: String? = nil, metadata: SandboxJSON = [:], externalTransactionID: String? = nil,
    conversionMetadata: SandboxJSON? = nil
  ) {
    self.referralID = referralID
    self.partner = partner
    self.referralCode = referralCode
    self.status = status
    self.friendEmail = friendEmail
    self.friendName = friendName
    self.createdAt = createdAt
    self.convertedAt = convertedAt
    self.conversionValue = conversionValue
    self.referrerIdentifier = referrerIdentifier
    self.referrerEmail = referrerEmail
    self.externalSourceID = externalSourceID
    self.metadata = metadata
    self.externalTransactionID = externalTransactionID
    self.conversionMetadata = conversionMetadata
  }
}

extension SandboxReferral {
  /// The object of API reference, The referral object.
  var document: SandboxJSON {
    guard !shownInstead.isEmpty else { return .object(publicMembers) }
    return .object(publicMembers.map { .init($0.name, shownInstead[$0.name] ?? $0.value) })
  }

  /// The same object, with the fields that only the sandbox shows.
  var documentForControl: SandboxJSON {
    .object(
      publicMembers + [
        .init("partner", .string(partner)),
        .init("referrerEmail", .optional(referrerEmail)),
        .init("externalTransactionId", .optional(externalTransactionID)),
        .init("conversionMetadata", conversionMetadata ?? .null),
      ])
  }

  private var publicMembers: [SandboxJSON.Member] {
    [
      .init("referralId", .string(referralID)),
      .init("referralCode", .string(referralCode)),
      .init("status", .string(status.rawValue)),
      .init("friendEmail", .optional(friendEmail)),
      .init("friendName", .optional(friendName)),
      .init("createdAt", .integer(createdAt)),
      .init("convertedAt", .optional(convertedAt)),
      .init("conversionValue", .optional(conversionValue.map(String.init))),
      .init("currency", status == .converted ? "EUR" : .null),
      .init("referrerIdentifier", .optional(referrerIdentifier)),
      .init("externalSourceId", .optional(externalSourceID)),
      .init("metadata", metadata),
    ]
  }

  /// True if this is exactly the referrer's e-mail address.
  func isReferred(by email: String) -> Bool { (referrerEmail ?? referrerIdentifier) == email }

  /// True if one of the fields that a person would search contains a lower-cased text, in any case.
  func contains(_ lowercasedText: String) -> Bool {
    // One after the other, without a list of them: a search looks at every referral.
    friendEmail?.holds(lowercasedText) == true || friendName?.holds(lowercasedText) == true
      || externalSourceID?.holds(lowercasedText) == true || referrerIdentifier?.holds(lowercasedText) == true
      || referralCode.holds(lowercasedText)
  }

  /// The fields that a person would search.
  var searched: [String] {
    [friendEmail, friendName, referrerIdentifier, externalSourceID, referralCode].compactMap(\.self)
  }
}

extension String {
  /// True if this text contains a lower-cased one, in any case.
  fileprivate func holds(_ text: String) -> Bool {
    if utf8.holds(text.utf8) { return true }
    // Uses Unicode's lower case, which is slow, only for letters beyond ASCII.
    guard text.utf8.contains(where: { $0 >= 0x80 }) else { return false }
    return lowercased().utf8.holds(text.utf8)
  }
}

extension String.UTF8View {
  /// True if these bytes contain others, where A to Z count as a to z.
  fileprivate func holds(_ other: String.UTF8View) -> Bool {
    let text = span
    let wanted = other.span
    guard wanted.count <= text.count else { return false }
    if wanted.isEmpty { return true }
    let first = wanted[0]
    for start in 0...(text.count - wanted.count) where text[start].lowercasedASCII == first {
      var index = 1
      while index < wanted.count, text[start + index].lowercasedASCII == wanted[index] { index += 1 }
      if index == wanted.count { return true }
    }
    return false
  }
}

extension UInt8 {
  fileprivate var lowercasedASCII: UInt8 { (0x41...0x5A).contains(self) ? self | 0x20 : self }
}
