extension EventCatalog {
  /// Events of the daemon itself, its host, its ledger and its operators.
  static let running: [Event] = [
    Event(
      name: "started", messageID: "96458cf269f4413ca53617498e47c913", subject: "conversiond has started",
      meaning: "The daemon has begun its work; the line names the version and the API."),
    Event(
      name: "stopped", messageID: "6bff606d3f8b4739951995fe58dc29d3", subject: "conversiond has stopped",
      meaning: "The daemon was told to end, and has stored everything.",
      advice: "Nothing. `systemctl start conversiond` goes on where it stopped."),
    Event(
      name: "failed", messageID: "2f9e64ae92df4feab79325b130086d8c",
      subject: "conversiond could not start, or had to end",
      meaning: """
        The line says why, and CONVERSIOND_EXIT_STATUS is the exit status: 65 the ledger is damaged or newer than this \
        program, 74 the disk, 75 another daemon has the ledger, 77 a permission, 78 the configuration or the key. \
        systemd starts it again by itself after 70, 74 and 75 only.
        """,
      money: "Nothing is lost, and nothing is sent twice. Nothing is sent meanwhile.",
      advice: """
        `conversiond check` names every mistake and what to change, then `systemctl restart conversiond`. 65: \
        `conversiond rebuild` says what it would do, `conversiond restore FILE` puts a backup in its place. 74: make \
        room (`df -h /var/lib/conversiond`).
        """,
      fields: ["exit_status", "reason"]),
    Event(
      name: "loop_stuck", messageID: "3c1f5e0e6f7a4d1f9a58b2c7d4e6f091", subject: "A part of the daemon is stuck",
      meaning: """
        It has been in one step for longer than any takes, ten minutes at least; the line says which part. The daemon \
        tells systemd no longer that it is alive, and so is restarted.
        """,
      advice: "Nothing, unless it comes again: then keep the line, the version and `journalctl -u conversiond`.",
      fields: ["loop", "reason"]),
    Event(
      name: "reload_ok", messageID: "6801f0adf52e4bec821e770938f99fb5", subject: "A new configuration is in force",
      meaning: "The configuration was read again, and found good.",
      money: """
        Changed rules reach every order that was never sent; what they make sendable among more than 20 orders, or \
        give another amount, is held until released.
        """),
    Event(
      name: "reload_refused", messageID: "09c2441424c54d00a1b6f620d2ad4be5", subject: "A new configuration was refused",
      meaning: """
        The configuration on the disk has a mistake, or a change that needs a restart; the line says which. The \
        daemon goes on with the one that it has.
        """,
      advice: """
        `conversiond check` shows every mistake with its line. Mend it, then `systemctl reload conversiond`; where \
        the line says so, `systemctl restart conversiond`.
        """),
    Event(
      name: "operator", messageID: "508e8569d69b46b987385c399b8fe56d", subject: "An operator has acted",
      meaning: """
        Orders were held, released or discarded, or another mapping was accepted; the line says who, and why.
        """,
      money: "As the line says."),
    Event(
      name: "log_dropped", messageID: "311efd0ded1c4eac8c2d3231b389e25b", subject: "Lines of the log were lost",
      meaning: "They were not read in time; the line says how many.",
      money: "The ledger has everything: `conversiond queue show ORDER`.",
      advice: "Nothing, unless it comes again: is journald stuck?",
      fields: ["dropped"]),
    Event(
      name: "would_report", messageID: "ef5488a1890640e1b4f9649e5f3b2c51", subject: "A rehearsal would report an order",
      meaning: "`conversiond run --dry-run` sends nothing.",
      fields: ["order", "referral"]),
    Event(
      name: "clock_unconfirmed", messageID: "53cc7f45f7aa4767b62eb0a3ef0dfbd7", subject: "The host's clock is in doubt",
      meaning: """
        It was set by more than a minute, or the API's is more than two minutes from it after a boot; the line says \
        by how much.
        """,
      money: "No hold ends, nothing is given up or removed, nothing is sent for the first time.",
      advice: """
        Set it right: `timedatectl set-ntp true`; clock_confirmed follows by itself. If the API's clock is the \
        wrong one, or it sends no Date: look at the time in `conversiond status`, then `conversiond resume --clock`.
        """),
    Event(
      name: "clock_confirmed", messageID: "e1d9b5b5e96d4e0a8a3d5d34f6ac0c55", subject: "The host's clock is confirmed",
      meaning: "It agrees with the API's, or is back where it was."),
    Event(
      name: "ledger_failed", messageID: "9059743dfb934058822240fa79900a8f", subject: "The ledger can't be written",
      meaning: """
        The disk is full, read-only, or fails; the line says which, and what the daemon was at. A database that is away \
        is poll_failed.
        """,
      money: "Nothing is lost, and nothing is sent twice. Nothing is sent meanwhile.",
      advice: """
        Make room on the file system of the ledger (`df -h /var/lib/conversiond`); it goes on by itself, \
        ledger_recovered.
        """,
      fields: ["reason"]),
    Event(
      name: "ledger_recovered", messageID: "16efcef1a8254c09b85f65c3f6c0a03a",
      subject: "The ledger can be written again",
      meaning: "The outage is over; the line says how long it was."),
    Event(
      name: "ledger_full", messageID: "f0a54f1a0fcb4c028f787a4bc045c293", subject: "The ledger has reached its size",
      meaning: "It takes four fifths of `ledger.size_max`, so orders are not read.",
      advice: """
        Raise `ledger.size_max`, or lower `ledger.retain`, and `systemctl reload conversiond`.
        """),
    Event(
      name: "ledger_room", messageID: "3bfddcbd6bb844a49d371666bd0b20ab", subject: "The ledger has room again",
      meaning: "Orders are read again."),
    Event(
      name: "ledger_replaced", messageID: "ce177e5787ed414c85565899b3a16dfe",
      subject: "The ledger was restored or rebuilt",
      meaning: """
        Reports that the one before it had sent may still be under way. Nothing that was never sent is sent before \
        the time in the line, and before a complete sweep of the referrals that begins then; `conversiond status` says \
        so, too.
        """,
      money: "Nothing is lost, and nothing is sent twice.",
      advice: "Nothing: caught_up says when reports leave again."),
  ]
}
