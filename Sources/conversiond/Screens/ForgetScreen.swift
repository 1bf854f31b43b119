/// Shows what `forget` did, or would do, as people read it.
struct ForgetScreen {
  let report: ForgetReport
  let isTrial: Bool

  var text: String {
    var lines: [String] = []
    if !report.orders.isEmpty {
      var table = Table(["entry", "state", "order", ""], right: [0])
      for order in report.orders { table.add(["#\(order.id)", order.state, order.order, order.obstacle ?? ""]) }
      lines.append(String(table.text.dropLast()))
    }
    lines.append(summary)
    if let remaining = report.remaining, remaining > 0 {
      lines.append(
        "its letters still stand \(remaining) times in the ledger, in what is not this person's: in a longer address, or in "
          + "the ID of an order")
    }
    for path in report.asideLedgers ?? [] {
      lines.append("\(Table.printable(path)) may still hold it: delete it when you don't need it any more")
    }
    if isTrial, !hasObstacles { lines.append("nothing was changed; --yes erases it") }
    return lines.joined(separator: "\n") + "\n"
  }

  private var hasObstacles: Bool { report.orders.contains { $0.obstacle != nil } }

  private var summary: String {
    let what = "\(report.email): \(counted(report.orders.count, "order")), \(counted(report.referrals, "referral"))"
    let before = report.forgottenBefore ? ", forgotten before" : ""
    if report.erased { return "\(what)\(before): erased; what was reported stays by order ID" }
    return hasObstacles ? "\(what)\(before): not erased" : "\(what)\(before): would be erased"
  }

  private func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }
}
