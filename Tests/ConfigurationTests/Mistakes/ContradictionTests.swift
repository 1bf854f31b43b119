import Configuration
import Testing

@Suite struct ContradictionTests {
  @Test func someKeyMustBeMapped() {
    #expect(
      Sample.said(column: "email: null") == [
        "neither email nor external_source_id is mapped, so that no order could match; map one of them"
      ])
    #expect(
      Sample.said(after: "matching:\n  keys: [external_source_id]\n") == [
        "2:9: no column is mapped for external_source_id; name a mapped one, or map it under orders.columns"
      ])
    #expect(
      Sample.said(after: "matching:\n  keys: [external_source_id, email]\n") == [
        "2:9: warning: external_source_id is skipped, as orders.columns.external_source_id is not mapped"
      ])
    #expect(Sample.said(after: "matching:\n  keys: [email]\n").isEmpty)
  }

  @Test func statusesAndConditionExcludeEachOther() {
    let both = Sample.full.replacing("qualifies: null", with: "qualifies: paid")
    #expect(
      Sample.said(both) == [
        "c.yaml:20:14: qualifies and qualifying_statuses (line 19) exclude each other; keep one of them"
      ])
    for none in ["[]", "null", ""] {
      let text = both.replacing("qualifying_statuses: [paid, completed]", with: "qualifying_statuses: \(none)")
      #expect(Sample.said(text).isEmpty)
    }
  }

  @Test func statusesNeedTheirColumn() {
    let message = "qualifying_statuses needs orders.columns.status, which is not mapped; map it, or give qualifies"
    let unmapped = Sample.full.replacing("status: status", with: "status: null")
    #expect(Sample.said(unmapped) == ["c.yaml:19:24: \(message)"])
    #expect(Sample.said(column: "status:") == [message])
    let condition = unmapped.replacing("qualifies: null", with: "qualifies: paid")
      .replacing("  qualifying_statuses: [paid, completed]\n", with: "")
    #expect(Sample.said(condition).isEmpty)
  }

  @Test func aTotalNeedsItsCurrency() {
    let unmapped = Sample.full.replacing("currency: currency", with: "currency: null")
    #expect(
      Sample.said(unmapped) == [
        "c.yaml:11:12: total needs a currency; map orders.columns.currency: a column, or a literal such as \"'EUR'\""
      ])
    #expect(Sample.said(column: "currency: c").isEmpty)
  }

  @Test func aMistakeInOneKeyIsNotReportedAgainForAnother() {
    #expect(Sample.said(column: "emial: e").count == 1)
    #expect(Sample.said(Sample.full.replacing("currency: currency", with: "currency: EUR")).count == 1)
    #expect(Sample.said(Sample.full.replacing("status: status", with: "status: (")).count == 1)
    let twoWrong = Sample.full.replacing("email: customer_email", with: "email: ;").replacing(
      "_id: lead_id", with: "_id: ;")
    #expect(Sample.said(twoWrong).count == 2)
  }

  @Test(arguments: [
    (
      "reporting:\n  hold: 31d\n",
      "2:9: warning: reporting.hold (31d) is longer than reporting.give_up_after (30d): a report would wait for longer than it is tried"
    ),
    (
      "reporting:\n  give_up_after: 1h\n  hold: 61m\n",
      "3:9: warning: reporting.hold (61m) is longer than reporting.give_up_after (1h): a report would wait for longer than it is tried"
    ),
    (
      "ledger:\n  retain: 30d\n",
      "2:11: warning: matching.attribution_window (90d) is longer than ledger.retain (30d): what became of an order would be forgotten while its referral still counts"
    ),
    (
      "api:\n  writes_per_minute: 31\n",
      "2:22: warning: more than the API's limit of 30 a minute; it will refuse what is beyond, unless yours is raised"
    ),
    (
      "api:\n  conversions_per_minute: unlimited\n",
      "2:27: warning: more than the API's limit of 60 a minute; it will refuse what is beyond, unless yours is raised"
    ),
  ])
  func warnings(text: String, expected: String) {
    #expect(Sample.said(after: text) == [expected])
    #expect(Sample.configuration(text) != nil)
  }

  @Test func readsAreEnoughForTheQuestionsBeforeSends() {
    let said = Sample.said(after: "api:\n  reads_per_minute: 59\n")
    #expect(said.count == 1 && said[0].hasPrefix("2:21: too few") && said[0].hasSuffix("give 60 or more"))
    #expect(Sample.said(after: "api:\n  reads_per_minute: 60\n").isEmpty)
  }
}
