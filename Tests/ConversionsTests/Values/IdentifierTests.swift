import Conversions
import Testing

@Suite struct IdentifierTests {
  @Test func whatLooksAlikeIsNotTheSame() {
    let (composed, decomposed) = ("caf\u{e9}", "cafe\u{301}")
    #expect(composed == decomposed, "as Swift compares texts")
    #expect(OrderKey(composed) != OrderKey(decomposed))
    #expect(Set([OrderKey(composed), OrderKey(decomposed), OrderKey(composed)]).count == 2)
    #expect(ReferralID(composed) != ReferralID(decomposed))
    #expect(TransactionID(composed) != TransactionID(decomposed))
    #expect((ReferralID(composed) < ReferralID(decomposed)) != (ReferralID(decomposed) < ReferralID(composed)))
  }

  @Test func aTransactionIDHasNoControlCharacter() {
    let wrong = (0...0x3000).compactMap(Unicode.Scalar.init).filter { scalar in
      (TransactionID("a\(scalar)") == nil) != (scalar.properties.generalCategory == .control)
    }
    #expect(wrong.isEmpty)
  }
}
