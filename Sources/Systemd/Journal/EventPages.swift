/// The pages that explain the events: the journal's catalog and a manual page, both written from `EventCatalog`.
public enum EventPages {
  /// The text of `conversiond.catalog` (journalctl --update-catalog; format in systemd's CATALOG documentation).
  public static var catalog: String {
    EventCatalog.events.map { event in
      """
      -- \(event.messageID)
      Subject: \(event.subject)
      Defined-By: conversiond
      Documentation: man:conversiond-troubleshooting(7)

      \(plain(event.meaning))

      Money: \(plain(event.money))

      To do: \(plain(event.advice))
      \(event.fields.isEmpty ? "" : "\nFields: \(event.fields.joined(separator: ", "))\n")
      """
    }.joined(separator: "\n")
  }

  /// The text of `conversiond-troubleshooting.7`, in the man macros of groff_man(7).
  public static var troubleshooting: String {
    let sections: [(name: String, events: [EventCatalog.Event])] = [
      ("The daemon, its host and its ledger", EventCatalog.running),
      ("The shop's table and its orders", EventCatalog.shop), ("Referrals, reports and the API", EventCatalog.reports),
    ]
    let body = sections.flatMap { section in
      [".SH " + section.name.uppercased()] + section.events.flatMap(entry)
    }
    return (heading + body + closing).joined(separator: "\n") + "\n"
  }

  private static let heading = [
    #".TH CONVERSIOND\-TROUBLESHOOTING 7 "" "conversiond" "Miscellaneous""#,
    ".SH NAME", #"conversiond\-troubleshooting \- what the daemon's events mean, and what to do"#,
    ".SH DESCRIPTION",
    "Each line of the daemon's that stands for an event has its name in the field", bold("CONVERSIOND_EVENT") + ",",
    "as this page has; on a terminal, after " + bold("event=") + ".",
    bold("journalctl -x -u conversiond") + " shows the same words below each line,",
    bold("journalctl -u conversiond -p warning") + " those lines alone that needed or need a person, and",
    bold("journalctl CONVERSIOND_ORDER=1042") + " one order's story.",
    bold("conversiond status") + " says how things are now, and",
    bold("conversiond check") + " what a restart would meet.",
  ]

  private static let closing = [".SH SEE ALSO", bold("conversiond") + "(8), " + bold("conversiond.yaml") + "(5)"]

  private static func entry(_ event: EventCatalog.Event) -> [String] {
    [
      ".TP", bold(event.name), roff(event.subject + ". " + event.meaning), ".br", "Money: " + roff(event.money), ".br",
      "To do: " + roff(event.advice),
    ] + (event.fields.isEmpty ? [] : [".br", "Fields: " + escaped(event.fields.joined(separator: ", "))])
  }

  /// Leaves out the backquotes around what is typed.
  private static func plain(_ text: String) -> String { text.replacing("`", with: "") }

  /// Sets in bold what stands between backquotes.
  private static func roff(_ text: String) -> String {
    text.split(separator: "`", omittingEmptySubsequences: false).enumerated()
      .map { $0.offset.isMultiple(of: 2) ? escaped(String($0.element)) : bold(String($0.element)) }.joined()
  }

  private static func bold(_ text: String) -> String { #"\fB"# + escaped(text) + #"\fR"# }

  private static func escaped(_ text: String) -> String {
    text.replacing("\\", with: #"\e"#).replacing("-", with: #"\-"#)
  }
}
