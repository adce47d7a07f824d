"""Does an information-theoretic defence against adversarial examples really hold?"""
