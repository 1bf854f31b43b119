import Conversions

/// The bodies of the two writes that are not frozen beforehand.
enum RequestBodies {
  /// Returns the body of a creation (API reference, Create a referral: Request body).
  static func create(_ draft: ReferralDraft) -> [UInt8] {
    var members = [
      ("referrerIdentifier", JSONText.string(draft.referrerIdentifier)),
      ("friendEmail", JSONText.string(draft.friendEmail)),
      ("friendName", JSONText.string(draft.friendName)),
    ]
    if let id = draft.externalSourceID { members.append(("externalSourceId", JSONText.string(id))) }
    if let metadata = draft.metadata { members.append(("metadata", metadata)) }
    return Array(JSONText.object(members).utf8)
  }

  /// Returns the body of an update (API reference, Update a referral: Request body).
  static func update(_ change: ReferralChange) -> [UInt8] {
    var members: [(String, String)] = []
    if let id = change.externalSourceID { members.append(("externalSourceId", JSONText.string(id))) }
    if let metadata = change.metadata { members.append(("metadata", metadata)) }
    return Array(JSONText.object(members).utf8)
  }
}
