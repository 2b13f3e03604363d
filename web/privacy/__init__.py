"""What people are told of the processing of their data, made from the settings as they really are.

addresses.py  where something comes from or goes to, without what is secret in it
notice.py     the notice on privacy (Art. 13 GDPR): the city's own text, or one that is made
words.py      the made notice, in German and English
record.py     the record of processing activities (Art. 30 GDPR), in German, as lawyers here want it
measures.py   its part on who receives data and how they are kept safe
"""
