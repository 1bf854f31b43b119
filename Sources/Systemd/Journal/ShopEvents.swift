extension EventCatalog {
  /// Events of the shop's table and of its orders.
  static let shop: [Event] = [
    Event(
      name: "poll_failed", messageID: "3151f30c78e74d519dc781ec00888aec", subject: "The shop's table can't be read",
      meaning: "The line says why, with PostgreSQL's SQLSTATE. A full disk is ledger_failed.",
      money: """
        Nothing is lost, and nothing is sent twice. An order that is known already is not sent either, as each is \
        looked at before.
        """,
      advice: """
        `conversiond check` names the cause and what to type. It goes on by itself, and says so: poll_recovered. \
        If the line says that `orders.from`, `orders.key`, `orders.columns.id`, `api.base_url` or the database is \
        another than that of the ledger's orders: change it back, give the new one a ledger of its own, or \
        `conversiond accept-mapping`. If the type of the total changed: set `orders.total_unit`, or write the \
        total in parentheses, as (total_cents), where it is right as it stands; then restart.
        """,
      fields: ["reason"]),
    Event(
      name: "poll_recovered", messageID: "def9cfdefcdb4b8892b496db23999a9f",
      subject: "The shop's table can be read again",
      meaning: "The outage is over; the line says how long it was."),
    Event(
      name: "poll_warning", messageID: "61917036d7a5406bb4544ab546f39189",
      subject: "The shop's table is read, with a doubt",
      meaning: """
        Something slows it down or leaves rows out: rows without a key, a time limit, a transaction that has been \
        open for half an hour; or new orders lie hours in the past or in the future, as times of another zone do.
        """,
      money: "Orders without a key are never reported; all others are.",
      advice: """
        The line says what, and `conversiond check` what to change. For times of another zone: `orders.time_zone`, then \
        `systemctl restart conversiond`.
        """),
    Event(
      name: "following", messageID: "1f1189a219ca4d20bae85bf5b151df81", subject: "Orders are followed",
      meaning: "The line says how changes are found: by row versions, or by hashes.",
      advice: "Nothing. `conversiond check` says what a GRANT would improve."),
    Event(
      name: "table_changed", messageID: "0417b8cfa64c4b87bd3144860af42e56",
      subject: "The shop's table is another one than before",
      meaning: "Another server, table or mapping; every order is read again at the sweep's pace.",
      money: "Orders that were reported are not reported again.",
      advice: """
        Nothing, if you know why. A mere restart of the server is `following`, with reason server_restarted.
        """),
    Event(
      name: "caught_up", messageID: "59058af42b74420cb68a60e35a1baca9",
      subject: "Everything that could outrank an order is known",
      meaning: "The first start, or the one after a rebuild, is over: reports leave from now on."),
    Event(
      name: "rows_missing", messageID: "7d3f1c0a9b5e4f6c8a21e0d4b6c97f53",
      subject: "Orders are missing from the shop's table",
      meaning: """
        Three or more orders with a referral, and a tenth of them at least, are missing within an hour, or one is \
        after row-level security or the server changed, or under row-level security that the role does not bypass. \
        As a warning or a notice: an order that was to be reported has lost the e-mail or reference by which its \
        referral was found, or has another one.
        """,
      money: """
        None is taken for cancelled: each is held as row_missing and looked for hourly, and after seven days in \
        review.
        """,
      advice: """
        Were rows archived, moved, hidden, anonymised before they were reported? Put them back: they go on within \
        the hour, or at once with `conversiond queue release ALL --reason row_missing --yes`. Were they deleted on \
        purpose? `conversiond queue discard ORDER --yes`.
        """),
    Event(
      name: "changed_since", messageID: "5d0b6f0b0c1e4c6e9a7f3f5c8e2d9b14", subject: "A reported order has changed",
      meaning: """
        It was refunded, deleted, left out by `orders.where`, or has another amount now. Deleted ones and those left \
        out are found once a day and after a start, for 60 days after the report; many at once are taken for \
        archived, and told in one line.
        """,
      money: "The report stands as it was: the API takes nothing back.",
      advice: """
        Correct it in the partner dashboard. `conversiond queue list --state reported --reason cancelled_since` lists \
        them, and so does `--reason amount_changed`; `conversiond queue show ORDER` names the amounts.
        """),
    Event(
      name: "cancelled", messageID: "8cce96b183454b05bf3f83786a8437f9",
      subject: "An order stopped qualifying before it was reported",
      meaning: "It was refunded, cancelled, or deleted; the line says which.",
      money: "Nothing is reported for it.",
      advice: """
        Nothing, if it was not paid. If it was: name its status in `orders.qualifying_statuses`, and \
        `systemctl restart conversiond` decides it anew.
        """,
      fields: ["reason"]),
    Event(
      name: "rules_changed", messageID: "ca52d6f6c51746688e2b889a042a4331",
      subject: "The configuration's rules have changed",
      meaning: """
        They are others than at the last start. As an error: more than 20 orders became sendable, or some have \
        another amount, and are held.
        """,
      money: "A held order is not sent until it is released.",
      advice: """
        `conversiond queue release ALL --reason rules_changed`, if that was meant; else correct the configuration, \
        and `systemctl reload conversiond`.
        """,
      fields: ["reason"]),
  ]
}
