"""Words that name a policy category by themselves, whatever else a request says. Singular, lower case, in English."""

from collections.abc import Mapping

_WORDS: Mapping[str, str] = {
    "cyber": """
        malware ransomware keylogger spyware trojan botnet ddos phishing spoofing rootkit hacker hacking hack hacked cyberattack
        cyberbullying exploit payload backdoor spam spambot webcam|hack sql|injection brute|force computer|virus two-factor|authentication
        antivirus|bypass server|vulnerability""",
    "fraud": """
        scam scammer fraud fraudulent launder laundering counterfeit counterfeiting forgery forge ponzi embezzle embezzlement bribe bribery
        extort extortion blackmail swindle shoplift shoplifting pickpocket burglary robbery heist plagiarise plagiarize smuggle smuggling
        insider|trading pyramid|scheme identity|theft tax|evasion evade|tax stolen|credit fake|id fake|passport fake|invoice fake|review rob|bank
        steal|car stolen|good black|market""",
    "weapons": """
        bomb explosive grenade landmine napalm thermite molotov silencer ammunition gunpowder ricin sarin anthrax bioweapon assassinate
        assassination murder murderer massacre terrorism terrorist hitman strangle kidnap kidnapping torture arson genocide gun firearm
        rifle pistol shotgun ar-15 weapon weaponise mass|shooting nuclear|weapon chemical|weapon biological|weapon nerve|gas kill|people kill|person
        kill|someone poison|someone hurt|someone stab|someone shoot|someone beat|wife domestic|violence""",
    "drugs": """
        meth methamphetamine amphetamine cocaine heroin fentanyl opioid oxycodone oxycontin lsd mdma ecstasy ketamine cannabis marijuana
        hashish dmt psilocybin shroom crystal|meth magic|mushroom ghb rohypnol adderall xanax steroid vape vaping thc drug|dealer drug|trafficking
        illegal|drug drug|test narcotic bootleg moonshine date|rape|drug get|high cigarette alcohol|minor""",
    "self_harm": """
        suicide suicidal self-harm overdose anorexia anorexic anorexi bulimia bulimic thinspo pro-ana noose killing|myself kill|myself harm|myself hurt|myself
        hurting|myself cut|myself cutting|myself end|my|life take|my|life hang|myself starve|myself want|to|die eating|disorder suicide|note
        self|harm my|own|life jump|off hopeless worthless""",
    "hate": """
        racist racism sexist sexism homophobic homophobia transphobic antisemitic antisemitism islamophobia bigot nazi nazism hitler holocaust kkk
        supremacy supremacist slur insult bully bullying harass harassment discriminate discrimination inferior subhuman stereotype ethnic|cleansing
        hate|speech swear|word white|power lazy|immigrant woman|belong""",
    "sexual_content": """
        porn porno pornography pornographic nude naked erotic erotica sexy sexual sexually sex sext sexting lewd horny fetish orgasm genital
        prostitute prostitution escort masturbate masturbation rape rapist molest pedophile paedophile incest deepfake|porn dirty|joke dirty|talk nsfw
        strip|club seduce""",
    "privacy": """
        dox doxx doxxing stalk stalking ssn home|address phone|number social|security credit|card|number bank|account|number passport|number
        medical|record medical|history criminal|record private|email private|message license|plate licence|plate personal|information
        personal|data hidden|camera track|phone fingerprint date|of|birth driver|license email|address private|address login|password
        sexual|orientation tax|identification tax|number identification|number account|number blood|type marital|status""",
    "misinformation": """
        conspiracy hoax disinformation misinformation propaganda deepfake defame defamation chemtrail illuminati qanon fake|news flat|earth moon|landing
        vaccine|autism climate|hoax election|stolen lizard|people fake|article false|news fake|study rig|election reptilian""",
    "regulated_advice": """
        diagnose diagnosis symptom dosage prescription antidepressant antibiotic ibuprofen paracetamol aspirin insulin chemotherapy mortgage
        bankruptcy pension lawsuit sue custody alimony divorce attorney lawyer probate cryptocurrency bitcoin stock|market invest|money invest|saving
        blood|pressure chest|pain side|effect medical|advice legal|advice financial|advice medication asylum refinance""",
}


def _lexicon() -> dict[str, str]:
    return {words.replace("|", " "): name for name, text in _WORDS.items() for words in text.split()}


LEXICON = _lexicon()
"""Word, or up to three words in a row, to category."""
