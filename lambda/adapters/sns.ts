import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { clientSettings } from '../runtime/clients';
import { refusing } from './errors';
import type { Notifications } from './ports/detection';

/** SNS takes 100 ASCII characters without control characters, and 256 KiB of message. */
const SUBJECT_MAX = 100;
const MESSAGE_MAX = 200_000;

export class SnsNotifications implements Notifications {
  private readonly client: SNSClient;

  constructor(region: string) {
    this.client = new SNSClient(clientSettings(region));
  }

  async publish(topicArn: string, subject: string, message: string): Promise<void> {
    await refusing('Publish', () => this.client.send(new PublishCommand({
      TopicArn: topicArn, Subject: subject.replace(/[^\x20-\x7e]/g, '?').slice(0, SUBJECT_MAX), Message: message.slice(0, MESSAGE_MAX),
    })));
  }
}
