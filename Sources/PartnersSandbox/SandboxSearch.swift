/// The kinds of `search=` that a server may have: API reference, List referrals, says "free-text search" and no more.
public enum SandboxSearch: Sendable, Hashable {
  /// The text stands, in any case, in the friend's e-mail or name, the external source ID, the referral code or the
  /// referrer's identifier.
  case substring
  /// The text stands in the friend's name; nothing else is searched.
  case names
  /// Every search finds nothing.
  case nothing
  /// The text is cut into words at what is neither letter nor digit, and one word in common is enough.
  case words
  /// As `substring`, answered `lateness` late.
  case slow
  /// Every search is refused with this status.
  case status(Int)
  /// As `substring`, without these referrals.
  case omits(Set<String>)

  /// The lateness of a `slow` search.
  static let lateness = Duration.seconds(5)

  /// Makes the kind that a text names: `substring`, `names`, `nothing`, `words`, `slow`, `status:400`, `omits:r1,r2`.
  public init?(_ text: String) {
    let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
    switch (parts.first, parts.count) {
    case ("substring", 1): self = .substring
    case ("names", 1): self = .names
    case ("nothing", 1): self = .nothing
    case ("words", 1): self = .words
    case ("slow", 1): self = .slow
    case ("status", 2):
      guard let status = Int(parts[1]), (400...599).contains(status) else { return nil }
      self = .status(status)
    case ("omits", 2): self = .omits(Set(parts[1].split(separator: ",").map(String.init)))
    default: return nil
    }
  }

  /// The names of all kinds, for messages.
  public static let allNames = "substring, names, nothing, words, slow, status:CODE, omits:ID,ID"

  /// The text that names this kind.
  var text: String {
    switch self {
    case .substring: "substring"
    case .names: "names"
    case .nothing: "nothing"
    case .words: "words"
    case .slow: "slow"
    case .status(let status): "status:\(status)"
    case .omits(let ids): "omits:\(ids.sorted().joined(separator: ","))"
    }
  }

  /// True if a search for a text that isn't empty finds a referral.
  func finds(_ referral: SandboxReferral, _ text: String) -> Bool {
    switch self {
    case .substring, .slow, .status: referral.contains(text.lowercased())
    case .names: SandboxReferral(friendName: referral.friendName).contains(text.lowercased())
    case .nothing: false
    case .words: referral.searched.contains { !Self.words($0).isDisjoint(with: Self.words(text)) }
    case .omits(let ids): !ids.contains(referral.referralID) && referral.contains(text.lowercased())
    }
  }

  private static func words(_ text: String) -> Set<Substring> {
    Set(Substring(text.lowercased()).split { !$0.isLetter && !$0.isNumber })
  }
}

extension APIError {
  /// Returns the error of a search that the server refuses.
  static func searchRefused(_ status: Int) -> APIError {
    if status == 400 { return .validation([FieldIssue("search", "Not supported")]) }
    return APIError(status: status, code: .internalError, message: "Search failed")
  }
}
