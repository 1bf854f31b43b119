import Conversions
import Testing

@testable import PartnersAPI

@Suite("Reading: JSON, dates, waits, URLs and keys")
struct ReadingTests {
  private static let now = Timestamp(milliseconds: 784_111_700_000)

  @Test(
    "waits: seconds, dates of three forms, and retryAfterMs, within a day; what is longer or unreadable is an hour",
    arguments: [
      ("12", nil, 12), ("0", nil, 0), ("-1", nil, 3600), ("1000000000", nil, 3600), ("1e9", nil, 3600),
      ("86400", nil, 86_400), ("86401", nil, 3600), ("99999999999999999999", nil, 3600), ("-99999999999", nil, 3600),
      ("1e400", nil, 3600), ("999999999999999999999999999999999999999999999", nil, 3600), ("-0.5", nil, 3600),
      ("1.5", nil, 1.5), ("soon", nil, 3600), ("", nil, 3600), (nil, nil, nil),
      ("nan", nil, 3600), ("Sun, 06 Nov 1994 08:49:37 GMT", nil, 7), ("Sunday, 06-Nov-94 08:49:37 GMT", nil, 7),
      ("Sun Nov  6 08:49:37 1994", nil, 7), ("Sun, 06 Nov 1994 08:49:20 GMT", nil, 0),
      ("Fri, 06 Nov 2094 08:49:37 GMT", nil, 3600), ("Sun, 99 Nov 1994 08:49:37 GMT", nil, 3600),
      ("Sat, 05 Nov 1994 08:49:37 GMT", nil, 3600),
      (nil, "12000", 12), ("3", "12000", 12), ("30", "12000", 30), ("soon", "250", 0.25), (nil, "-5", 3600),
      ("-1", "12000", 12), ("1e9", "12000", 3600),
      (nil, "1e12", 3600), (nil, "\"12000\"", 3600),
    ] as [(String?, String?, Double?)])
  func retryAfter(_ header: String?, _ milliseconds: String?, _ seconds: Double?) throws {
    let json = try milliseconds.map { try JSONParser.parse(Array($0.utf8)) }
    // The answer's own Date is 7 s before the dates above, and decades from this clock.
    let date = Timestamp(milliseconds: 784_111_770_000)
    let wait = RetryAfter.wait(
      header: header, milliseconds: json, date: date, now: Timestamp(milliseconds: 1_000_000_000_000))
    #expect(wait == seconds.map { .milliseconds(Int64($0 * 1000)) })
  }

  @Test("without a Date in the answer, a date is judged by the clock")
  func clock() {
    let wait = RetryAfter.wait(
      header: "Sun, 06 Nov 1994 08:49:37 GMT", milliseconds: nil, date: nil, now: Self.now)
    #expect(wait == .seconds(77))
  }

  @Test("two-digit years are of the century that is less than 50 years ahead")
  func century() {
    let now = Timestamp(milliseconds: 1_800_000_000_000)  // 2027
    #expect(HTTPDate.parse("Sunday, 06-Nov-94 08:49:37 GMT", now: now)?.description == "1994-11-06T08:49:37.000Z")
    #expect(HTTPDate.parse("Friday, 06-Nov-37 08:49:37 GMT", now: now)?.description == "2037-11-06T08:49:37.000Z")
    #expect(HTTPDate.parse("Tue, 29 Feb 2028 23:59:60 GMT", now: now)?.description == "2028-03-01T00:00:00.000Z")
  }

  @Test(
    "JSON that is",
    arguments: [
      ("null", JSONValue.null), (" [1, -0.5e+3] ", .array([.number("1"), .number("-0.5e+3")])),
      (#"{"a":{"b":"\u00e9\n\ud83e\udd80"},"a":true}"#, .object(["a": .bool(true)])),
      (#""\ud83e\udd80""#, .string("🦀")), (#""a\ud83e""#, .string("a\u{FFFD}")),
      (#""\ud83e\n""#, .string("\u{FFFD}\n")),
      (#""\ud83e\ud83e\udd80""#, .string("\u{FFFD}🦀")), (#""\udd80""#, .string("\u{FFFD}")), ("{}", .object([:])),
    ])
  func json(_ text: String, _ value: JSONValue) throws {
    #expect(try JSONParser.parse(Array(text.utf8)) == value)
  }

  @Test(
    "JSON that is not",
    arguments: [
      "", " ", "{", "[1,]", "[1 2]", "{\"a\"}", "{\"a\":}", "{a:1}", "01", "1.", ".5", "+1", "1e", "-", "nul", "NaN",
      "\"", "\"\\x\"", "\"\\u12g4\"", "\"\\u12", "\"\n\"", "1 2", "[]]", "'a'", "truex", "[", "\"\\", "{\"a\":1,}",
    ])
  func noJSON(_ text: String) {
    #expect(throws: JSONSyntaxError.self) { try JSONParser.parse(Array(text.utf8)) }
  }

  @Test("512 levels are read, 513 are not", arguments: [(512, true), (513, false), (100_000, false)])
  func depth(_ levels: Int, _ isRead: Bool) {
    let arrays = String(repeating: "[", count: levels) + String(repeating: "]", count: levels)
    #expect(((try? JSONParser.parse(Array(arrays.utf8))) != nil) == isRead)
    let objects = String(repeating: "{\"a\":", count: levels) + "1" + String(repeating: "}", count: levels)
    #expect(((try? JSONParser.parse(Array(objects.utf8))) != nil) == isRead)
  }

  @Test(
    "no keys",
    arguments: [
      "", "oft_", "oft_0123", "oft_0123456789abcdef0123456789abcdeg", "oft_0123456789abcdef0123456789abcdef\r\n",
      "OFT_0123456789abcdef0123456789abcdef", "oft_0123456789abcdef0123456789abcdeff",
    ])
  func noKey(_ text: String) { #expect(APIKey(text) == nil) }
}
