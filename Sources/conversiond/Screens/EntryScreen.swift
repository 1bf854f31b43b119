import Conversions

/// One order as people read it.
struct EntryScreen {
  let entry: EntryReport

  var text: String {
    var lines = ["order \(Table.printable(entry.order)) (#\(entry.id))"]
    lines += facts.compactMap { name, value in
      value.map { "  \(name)\(String(repeating: " ", count: 16 - name.count))\(Table.printable($0))" }
    }
    if let candidates = entry.candidates, !candidates.isEmpty {
      lines.append("candidates")
      var table = Table(["  referral", "matched by", "verdict"])
      for candidate in candidates { table.add(["  " + candidate.referral, candidate.matchedBy, candidate.verdict]) }
      lines.append(String(table.text.dropLast()))
    }
    if let sends = entry.sends, !sends.isEmpty {
      lines.append("sends")
      var table = Table(["  attempt", "began", "ms", "http", "verdict", ""], right: [0, 2])
      for send in sends {
        table.add([
          String(send.attempt), send.startedAt, send.durationMilliseconds.map(String.init) ?? "-",
          send.httpStatus.map(String.init) ?? "-", send.verdict ?? "interrupted", send.detail ?? "",
        ])
      }
      lines.append(String(table.text.dropLast()))
    }
    return lines.joined(separator: "\n") + "\n\n"
  }

  private var act: String? {
    entry.operatorAct.map { act in
      let words = act.act == OperatorAct.Kind.discard.rawValue ? "discarded it at" : "holds it since"
      return "\(act.by) \(words) \(act.at)" + (act.reason.map { ": \($0)" } ?? "")
    }
  }

  private var change: String? {
    guard let kind = entry.changedSince else { return nil }
    guard ChangeAfterReport(rawValue: kind)?.needsCorrection != false else { return "\(kind): its row is absent" }
    let reported = entry.valueCents.map { "\($0) cents" } ?? "no value"
    let amounts = entry.presentValueCents.map { "\(reported) reported, \($0) cents now; " } ?? ""
    return "\(kind): \(amounts)correct it in the partner dashboard"
  }

  private var facts: [(String, String?)] {
    [
      ("key", entry.key == entry.order ? nil : entry.key), ("state", entry.state),
      ("reason", entry.reason), ("detail", entry.detail), ("operator", act), ("referral", entry.referral),
      ("value", entry.valueCents.map { "\($0) cents" }), ("e-mail", entry.email),
      ("external ID", entry.externalSourceId), ("placed", entry.placedAt), ("first seen", entry.firstSeenAt),
      ("in state since", entry.decidedAt), ("due", entry.dueAt),
      ("attempts", entry.attempts > 0 ? String(entry.attempts) : nil),
      ("evidence", entry.evidence.map { "the \($0) alone; not in this ledger" }),
      ("changed since", change),
      ("unknown outcome", entry.unknownOutcome ? "a send may have been done" : nil), ("body", entry.body),
    ]
  }
}
