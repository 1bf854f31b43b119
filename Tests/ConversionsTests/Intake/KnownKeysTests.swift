import Conversions
import Testing

/// Tests the filters that screen rows without a close look at them: "no" must be certain.
@Suite struct KnownKeysTests {
  @Test func aKeyThatIsKnownIsNeverDenied() {
    let known = KnownKeys()
    #expect(known.mayHoldOrder(KeyHash.of("1")), "nothing is ruled out before everything was taken in")
    known.complete()
    #expect(!known.mayHoldOrder(KeyHash.of("1")))
    // More than one filter's worth, several times over.
    let count = 90_000
    for number in 0..<count {
      known.insert(order: OrderKey("order-\(number)"), transactionID: nil)
      known.insert(referral: EmailAddress("friend\(number)@example.com"), ExternalSourceID("lead-\(number)"))
    }
    var denied = 0
    for number in 0..<count {
      if !known.mayHoldOrder(KeyHash.of("order-\(number)")) { denied += 1 }
      if !known.mayHoldReferral(KeyHash.of("friend\(number)@example.com")) { denied += 1 }
      if !known.mayHoldReferral(KeyHash.of("lead-\(number)")) { denied += 1 }
    }
    #expect(denied == 0)
    // Expects hardly one in a hundred that isn't known to be taken for one that is.
    let wrong = (0..<20_000).count { known.mayHoldOrder(KeyHash.of("other-\($0)")) }
    #expect(wrong < 200)
  }

  /// Letters that normal forms treat in ways of their own, and some that they don't.
  private static let letters: [Character] = Array(
    "aAbZz019@@..+-_ \t\n\u{0}\u{7F}\u{A0}\u{FEFF}\u{200B}äÄßİıéе中😀\"<>%/:#[]\\\u{301}\u{1F}~")

  @Test(arguments: 0..<20)
  func rawBytesAndNormalFormsAgree(seed: UInt64) {
    var state = seed &* 0x9e37_79b9_7f4a_7c15 &+ 1
    func next(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(truncatingIfNeeded: state >> 33) % bound
    }
    var (emails, references) = (0, 0)
    for _ in 0..<5000 {
      // Half of them of plain letters, or few would be sure.
      let plain = next(2) == 0
      let pool = plain ? Array("aZ0@.-+") : Self.letters
      let text = String((0..<next(12)).map { _ in pool[next(pool.count)] })
      let bytes = Array(text.utf8)
      if let hash = KeyHash.ofEmail(bytes.span), let email = EmailAddress(text) {
        #expect(hash == KeyHash.of(email.text), "\(text.debugDescription)")
        emails += 1
      }
      if let hash = KeyHash.ofExternalSourceID(bytes.span) {
        let reference = ExternalSourceID(text)
        #expect(reference.map { KeyHash.of($0.text) } == hash, "\(text.debugDescription)")
        references += 1
      }
    }
    #expect(emails > 50 && references > 500)
  }

  @Test func whatTakesTheLongWayIsNotJudged() {
    for text in [" a@b.c", "a@b.c ", "ä@b.c", "a@bü.c", "a@b.c.", "", "a\tb@c.d", "a@b\u{0}"] {
      #expect(KeyHash.ofEmail(Array(text.utf8).span) == nil, "\(text.debugDescription)")
    }
    for text in [" a", "a ", "ä", "", "a\u{0}", "a\tb"] {
      #expect(KeyHash.ofExternalSourceID(Array(text.utf8).span) == nil, "\(text.debugDescription)")
    }
  }
}
