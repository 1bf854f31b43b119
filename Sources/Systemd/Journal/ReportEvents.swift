extension EventCatalog {
  /// Events of referrals, reports and the API.
  static let reports: [Event] = [
    Event(
      name: "matched", messageID: "eb351e976c7b45ae90342249590365b9", subject: "An order was matched to a referral",
      meaning: """
        It is held, for `reporting.hold` or by an operator; the line says until when, and with which amount it is to be \
        reported.
        """,
      money: "It is not sent before the hold ends.",
      fields: ["order", "referral", "outcome"]),
    Event(
      name: "decided", messageID: "06db0d25d7ce4fa986e108e597e5b1f1",
      subject: "An order came to another outcome, or to the same for another reason",
      meaning: """
        The line says to which, why, and what it was before. All of an order's lines: \
        `journalctl CONVERSIOND_ORDER=1042`.
        """,
      money: "Nothing is sent for an order that waits, does not qualify or has no referral.",
      advice: "Nothing. `conversiond queue show ORDER` tells the order's whole story.",
      fields: ["order", "outcome"]),
    Event(
      name: "decisions", messageID: "744a492d36504f64ba746e24d4e0ac63", subject: "Many orders were decided in a minute",
      meaning: """
        A first start, changed rules or a bulk edit: a hundred orders a minute have a line each, the others are counted \
        by outcome. As an error: some of these need a person.
        """,
      money: "As each order's own line would say: nothing is lost, and nothing is sent twice.",
      advice: "Nothing, or `conversiond queue list --state review`, as the line says.", fields: ["orders"]),
    Event(
      name: "queued", messageID: "3b728b8a6be34a22bfb69a2a69ab3209", subject: "An order waits for its send",
      meaning:
        "It is to be reported for the referral and with the amount in the line, and leaves when the limits allow.",
      fields: ["order", "referral", "outcome"]),
    Event(
      name: "reported", messageID: "457b2112794c4953b8eca590a9c83d56", subject: "An order was reported",
      meaning: "The API has it; the line has the amount, in CONVERSIOND_VALUE in cents, where one was reported.",
      money: "A report can't be taken back by the API; the partner dashboard can."),
    Event(
      name: "deferred", messageID: "26fee1199a09435891c2619d1ad06fb5", subject: "A report is put off",
      meaning: """
        The API can't be reached, asks for a wait (Retry-After), or answers nothing that tells. One order probes for \
        all, up to 15 minutes apart; a wait of more than a day, or one that can't be read, counts as an hour. With \
        CONVERSIOND_ORDER: this order alone, before CONVERSIOND_NEXT_TRY.
        """,
      advice: "Nothing: it goes on by itself, api_recovered."),
    Event(
      name: "superseded", messageID: "cc6d1608ac784879bd655a2699ef1f3f",
      subject: "An order's referral was converted already",
      meaning: "By another order, or by another program of yours.",
      money: "This order is not reported, as a referral converts once.",
      advice: "Nothing. `conversiond queue show ORDER` names the order or the time that was first.",
      fields: ["order", "referral", "reason"]),
    Event(
      name: "review", messageID: "3c64aa38bdb946d78ce40cbceece0820", subject: "An order needs a person",
      meaning: "The reason is in the line, and in CONVERSIOND_REASON.",
      money: "It is not sent until a person has seen to it.",
      advice: """
        `conversiond queue show ORDER` tells its whole story. If the line names a prefix to write, the IDs of two \
        shops are alike: set `orders.columns.id` to it, then `conversiond accept-mapping`.
        """,
      fields: ["reason"]),
    Event(
      name: "api_halted", messageID: "bab790b50cf046dca75e395666ee0b97", subject: "Sending has halted",
      meaning: """
        The reason is in the line and in `conversiond status`. key_refused: the key is not valid (401). \
        not_approved: the account is not approved yet (403). tls, redirect: the API's certificate or its address is \
        not what it should be. account_changed: the API knows none of this ledger's referrals. rejecting: five \
        different orders in a row were refused.
        """,
      money: "Nothing is lost, and nothing is sent twice. Orders are still read and matched.",
      advice: """
        key_refused: put the current key in place, `systemctl restart conversiond`. not_approved: ask in the partner \
        dashboard; it goes on by itself. tls, redirect: check the clock, the host's CA store \
        (`update-ca-certificates`; SSL_CERT_FILE is not read) and `api.base_url`. account_changed: put the right key \
        or `api.base_url` in place. rejecting: `conversiond queue list --state review` says what for; one order is \
        let through an hour later, or after a restart.
        """,
      fields: ["reason"]),
    Event(
      name: "api_recovered", messageID: "987a90b956b44908a4742359300e751d", subject: "Sending goes on",
      meaning: "The halt or the outage is over; the line says how long it was."),
    Event(
      name: "mirror_failed", messageID: "588efb8945b046efa2878b6a543fe763", subject: "Referrals can't be read",
      meaning: "The API doesn't answer, or not as its reference says; the line says how. A full disk is ledger_failed.",
      money: """
        Nothing is lost, and nothing is sent twice. Nothing that was never sent is sent meanwhile.
        """,
      advice: """
        Nothing: it goes on by itself, mirror_recovered. `conversiond check` asks the API once.
        """),
    Event(
      name: "mirror_recovered", messageID: "7e52bd2445014a7abac876d282c141d5", subject: "Referrals can be read again",
      meaning: "The outage is over; the line says how long it was."),
    Event(
      name: "mirror_distrusted", messageID: "edb504d7a5594a1db2822c5a661fe9b5",
      subject: "The API's list of referrals can't be believed",
      meaning: "It is not what the API's reference says; the line says how.",
      money: "Orders wait instead of becoming no_referral.",
      advice: """
        Tell the API's people, with the lines of `journalctl CONVERSIOND_EVENT=mirror_distrusted`. If referrals are left \
        out: is the key the right account's, `conversiond check`? If they \
        were deleted on purpose, do nothing: after a week each is asked for by its ID. mirror_trusted says that it \
        is over.
        """),
    Event(
      name: "mirror_trusted", messageID: "5b92e483de7944878b1ca65c30221f1c",
      subject: "The API's list of referrals is believed again",
      meaning: "A complete walk showed nothing odd."),
    Event(
      name: "referral_gone", messageID: "e942b748f7c348d9946ecfb619ea1308", subject: "A referral is gone",
      meaning: "The API says by its ID that it knows it no more.",
      money: "No order is reported for it; one that was to be is decided anew.",
      advice: "Nothing, if it was deleted on purpose."),
    Event(
      name: "referral_unreadable", messageID: "56c78cf02f0a4d4a9427ddc5275d643b", subject: "A referral can't be read",
      meaning: "The API shows one that is not what its reference says; the line names the field.",
      money: """
        No order is matched to it, and an order that shares a key with it waits, as that referral may be the one to \
        be paid.
        """,
      advice: """
        Tell the API's people, with the lines of `journalctl CONVERSIOND_EVENT=referral_unreadable`; once it can be read \
        the order goes on by itself.
        """),
    Event(
      name: "search_doubted", messageID: "f2ab51b5f74142768d99e66e4053f3c9",
      subject: "The API's search can't be believed",
      meaning: "The line says why.",
      money: "First reports wait some minutes for a walk of the open referrals instead.",
      advice: "Tell the API's people, with the lines of `journalctl CONVERSIOND_EVENT=search_doubted`."),
  ]
}
