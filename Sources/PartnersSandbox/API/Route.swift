/// The five endpoints and how a path names them.
///
/// The raw path is split before it is decoded, so that an encoded slash stays within its referral ID, and `..` is
/// a segment like any other: nothing collapses into another endpoint.
enum Route: Sendable, Equatable {
  case referrals
  case referral(String)
  case convert(String)

  static let prefix = "/api/v1/partners"

  /// The endpoint of a raw path; `nil` where there is none.
  init?(path: String) throws(APIError) {
    guard path.hasPrefix(Self.prefix + "/") else { return nil }
    let segments = path.dropFirst(Self.prefix.count + 1).split(separator: "/", omittingEmptySubsequences: false)
    guard segments.first == "referrals" else { return nil }
    switch segments.count {
    case 1: self = .referrals
    case 2 where !segments[1].isEmpty: self = .referral(try Self.id(segments[1]))
    case 3 where !segments[1].isEmpty && segments[2] == "convert": self = .convert(try Self.id(segments[1]))
    default: return nil
    }
  }

  /// The methods it takes, as `Allow` lists them; HEAD comes with GET.
  var allowed: [String] {
    switch self {
    case .referrals: ["GET", "HEAD", "POST", "OPTIONS"]
    case .referral: ["GET", "HEAD", "PATCH", "OPTIONS"]
    case .convert: ["POST", "OPTIONS"]
    }
  }

  /// The referral that the path names.
  var referralID: String? {
    switch self {
    case .referrals: nil
    case .referral(let id), .convert(let id): id
    }
  }

  private static func id(_ segment: Substring) throws(APIError) -> String {
    guard let id = PercentCoding.decoded(segment, plusIsSpace: false) else {
      throw .validation([FieldIssue("referralId", "Malformed percent-encoding")])
    }
    return id
  }
}
