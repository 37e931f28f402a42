"""The chat that chose what the stream showed (no Theano).

==============  ===========================================================
``messages``    a message, with anything harmful removed
``vocabulary``  the words that the chat of 2015 understood
``picking``     its rules: which of the messages is shown next
``logs``        reads exported chats
``json_logs``   those of formats in JSON
``line_logs``   those of formats with a message a line
``replay``      an exported chat, replayed in film time
==============  ===========================================================
"""
