import Conversions
import Testing

@testable import PartnersAPI

@Suite("One referral that can't be read, among others")
struct UnreadableShapeTests {
  private static func object(_ id: String, _ created: Int, _ member: String = "") -> String {
    let members = [
      #""referralId":"\#(id)""#, #""referralCode":"a1b2c3d4""#, #""status":"pending""#, #""createdAt":\#(created)"#,
      #""friendEmail":"ana@example.com""#, #""externalSourceId":null"#,
    ]
    let name = member.split(separator: ":").first ?? ""
    let kept = members.filter { name.isEmpty || !$0.hasPrefix(String(name) + ":") }
    return "{" + (kept + (member.isEmpty ? [] : [member])).joined(separator: ",") + "}"
  }

  @Test(
    "it is named, and the others go on",
    arguments: [
      (#""externalSourceId":42"#, "referral.externalSourceId is no string", "r2", 2),
      (#""friendEmail":{}"#, "referral.friendEmail is no string", "r2", 2),
      (#""createdAt":"x""#, "referral.createdAt is no whole number", "r2", nil),
      (#""createdAt":null"#, "referral.createdAt is missing", "r2", nil),
      (#""status":"frozen""#, "referral.status is unknown", "r2", 2),
      (#""status":7"#, "referral.status is no string", "r2", 2),
      (#""conversionValue":12.5"#, "referral.conversionValue is no string", "r2", 2),
      (#""conversionValue":"-5""#, "referral.conversionValue is no decimal string of cents", "r2", 2),
      (#""referralId":9"#, "referral.referralId is no string", nil, 2),
      (#""referralId":"""#, "referral.referralId is empty", nil, 2),
    ] as [(String, String, String?, Int64?)])
  func one(_ member: String, _ fault: String, _ id: String?, _ created: Int64?) throws {
    let objects = [Self.object("r1", 1), Self.object("r2", 2, member), Self.object("r3", 3)]
    let page = try read(objects)
    #expect(page.referrals.map(\.id.text) == ["r1", "r3"])
    let unreadable = try #require(page.unreadable.first)
    #expect(page.unreadable.count == 1 && unreadable.fault == fault && unreadable.id?.text == id)
    #expect(unreadable.createdAt == created.map(Timestamp.init(milliseconds:)) && unreadable.place == 1)
    #expect(page.count == 3 && page.ids.count == 3)
    #expect(page.creations.map(\.milliseconds) == [1, created, 3].compactMap(\.self))
  }

  @Test("so is what is no object at all, wherever it stands", arguments: ["7", "null", "[]", "\"r2\"", "{}"])
  func noObject(_ text: String) throws {
    for place in 0...2 {
      var objects = [Self.object("r1", 1), Self.object("r3", 3)]
      objects.insert(text, at: place)
      let page = try read(objects)
      #expect(page.referrals.map(\.id.text) == ["r1", "r3"] && page.unreadable.map(\.place) == [place])
      #expect(page.creations.map(\.milliseconds) == [1, 3])
    }
  }

  @Test("a page that is none is no page") func noPage() {
    #expect(throws: ShapeMismatch.self) {
      try ReferralShapes.page(JSONParser.parse(Array(#"{"referrals":{},"pagination":{}}"#.utf8)))
    }
  }

  private func read(_ objects: [String]) throws -> ReferralPage {
    let text =
      #"{"referrals":[\#(objects.joined(separator: ","))],"pagination":{"page":1,"pageSize":100,"total":3}}"#
    return try ReferralShapes.page(JSONParser.parse(Array(text.utf8)))
  }
}
