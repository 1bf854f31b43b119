import Conversions
import Foundation

/// Candidates of an entry in its row: a JSON array of `[referral, key, verdict]`, NULL for none. A table of its own
/// would cost an order that matches one referral, as nearly all do that match any, a second row.
enum CandidateCoding {
  static func text(_ candidates: [Attribution.Candidate]) -> String? {
    guard !candidates.isEmpty else { return nil }
    let parts = candidates.map { candidate in
      "[\(JSONText.string(candidate.referral.id.text)),\"\(candidate.matchedBy.rawValue)\",\"\(candidate.verdict.rawValue)\"]"
    }
    return "[" + parts.joined(separator: ",") + "]"
  }

  /// Reads candidates; leaves out what can't be read: they are there to be looked at, and no decision rests on them.
  static func candidates(_ text: String?) -> [CandidateRecord] {
    let parts = text.flatMap { try? JSONDecoder().decode([[String]].self, from: Data($0.utf8)) } ?? []
    return parts.compactMap { part in
      guard part.count == 3, let key = MatchingKey(rawValue: part[1]),
        let verdict = Attribution.Verdict(rawValue: part[2])
      else { return nil }
      return CandidateRecord(referralID: ReferralID(part[0]), matchedBy: key, verdict: verdict)
    }
  }
}
