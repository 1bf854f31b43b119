import Conversions
import TestHosts
import Testing

@Suite struct AmountRulesTests {
  private let major = AmountRules(unit: .major, rounding: .refuse, otherCurrency: .review)

  @Test(arguments: [
    ("0", 0), ("0.00", 0), ("-0", 0), ("129.99", 12999), ("129.990", 12999), ("1e2", 10000), ("0.1", 10), (".5", 50),
    ("5.", 500), ("90071992547409.92", 9_007_199_254_740_992), ("000123.4500", 12345), ("12999e-2", 12999),
  ])
  func majorUnitsAreExact(text: String, cents: Int64) {
    #expect(major.judge(.amount(text, currency: "EUR")) == .value(cents))
  }

  @Test(arguments: [
    "NaN", "Infinity", "-Infinity", "-0.01", "0.001", "129.995", "90071992547409.93", "1e40", "", "abc", "1,5", "1.2.3",
    "0x10", "--1", "1e99999999999", String(repeating: "9", count: 401),
  ])
  func everythingElseNeedsAPerson(text: String) {
    guard case .refused(.invalidAmount, _) = major.judge(.amount(text, currency: "EUR")) else {
      Issue.record("\(text) was taken: \(major.judge(.amount(text, currency: "EUR")))")
      return
    }
  }

  @Test(arguments: [
    ("0.004", 0), ("0.005", 1), ("129.994999", 12999), ("129.995", 13000), ("0.00000000000000000000001", 0),
    ("1.005", 101),
  ])
  func roundsHalfUpWhereToldTo(text: String, cents: Int64) {
    let rules = AmountRules(unit: .major, rounding: .halfUp, otherCurrency: .review)
    #expect(rules.judge(.amount(text, currency: "eur")) == .value(cents))
  }

  @Test(arguments: ["1.234", "12.000", "999.999", "-1.500"])
  func aPointThatMayStandBeforeThousandsIsAQuestion(text: String) throws {
    for unit in AmountRules.Unit.allCases {
      for rounding in AmountRules.Rounding.allCases {
        let rules = AmountRules(unit: unit, rounding: rounding, otherCurrency: .review)
        guard case .refused(.invalidAmount, let detail) = rules.judge(.written(text, currency: "EUR")) else {
          Issue.record("\(text) was taken")
          continue
        }
        #expect(detail.contains("the total \(text) may be a decimal or thousands"), "\(detail)")
        #expect(detail.contains("orders.columns.total"), "\(detail)")
      }
    }
  }

  @Test(arguments: ["1.23", "0.500", "1234.567", "1.2345", "12", "1.234e0"])
  func textThatHasOneMeaningIsReadAsANumber(text: String) {
    let rules = AmountRules(unit: .major, rounding: .halfUp, otherCurrency: .review)
    #expect(rules.judge(.written(text, currency: "EUR")) == rules.judge(.amount(text, currency: "EUR")))
  }

  @Test(arguments: ["1,50", "1.234,50", "1,234.50", "1,234"])
  func aCommaIsAQuestion(text: String) throws {
    guard case .refused(.invalidAmount, let detail) = major.judge(.written(text, currency: "EUR")) else {
      Issue.record("\(text) was taken")
      return
    }
    #expect(detail.contains("has a comma") && detail.contains("::numeric"), "\(detail)")
  }

  @Test func centsStayCents() {
    let rules = AmountRules(unit: .cents, rounding: .refuse, otherCurrency: .review)
    #expect(rules.judge(.amount("12999", currency: " Eur ")) == .value(12999))
    #expect(rules.judge(.amount("12999.000", currency: "EUR")) == .value(12999))
    #expect(rules.judge(.amount("12999.5", currency: "EUR")) != .value(12999))
  }

  @Test func nullIsNotZeroAndUnmappedIsNoValue() {
    #expect(major.judge(.unmapped) == .value(nil))
    #expect(major.judge(.null) == .refused(.invalidAmount, "the total is NULL"))
  }

  @Test func anotherCurrencyIsReviewedOrLeftOut() {
    guard case .refused(.otherCurrency, _) = major.judge(.amount("5", currency: "USD")) else {
      Issue.record("taken")
      return
    }
    guard case .refused(.otherCurrency, _) = major.judge(.amount("5", currency: nil)) else {
      Issue.record("taken without a currency")
      return
    }
    let omitting = AmountRules(unit: .major, rounding: .refuse, otherCurrency: .omitValue)
    #expect(omitting.judge(.amount("NaN", currency: "USD")) == .value(nil))
    guard case .refused(.otherCurrency, _) = omitting.judge(.amount("5", currency: "  ")) else {
      Issue.record("a blank currency is not another one")
      return
    }
  }

  @Test func agreesWithIntegerArithmeticOnRandomAmounts() {
    var random = SeededGenerator(seed: 11)
    for _ in 0..<5000 {
      let cents = Int64.random(in: 0...AmountRules.centsMax, using: &random)
      let zeros = String(repeating: "0", count: Int.random(in: 0...6, using: &random))
      let (whole, fraction) = (cents / 100, cents % 100)
      let text = "\(whole).\(fraction < 10 ? "0" : "")\(fraction)\(zeros)"
      #expect(major.judge(.amount(text, currency: "EUR")) == .value(cents), "\(text)")
    }
  }
}
